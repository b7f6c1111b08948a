//! Client: statements of a test, run from a thread of its own, so that a test may stand in any runtime.

use std::time::Duration;

use tokio_postgres::error::SqlState;
use tokio_postgres::{NoTls, SimpleQueryMessage};

use crate::ClusterError;

/// What statements answered: rows of columns as text, `None` where they are null.
pub type Rows = Vec<Vec<Option<String>>>;

/// Runs statements, one after the other.
pub(crate) fn run(url: &str, statements: &str) -> Result<Rows, ClusterError> {
    let answered = std::thread::scope(|scope| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = scope.spawn(move || runtime.block_on(simple(url, statements)));
        thread.join().map_err(|_| ClusterError::Refused(String::from("the client panicked")))
    })?;
    answered.map_err(|error| ClusterError::Statement { statement: statements.to_owned(), error })
}

/// Runs again for a while what others are in the way of, for example those who still leave a template.
pub(crate) fn patiently<T>(mut run: impl FnMut() -> Result<T, ClusterError>) -> Result<T, ClusterError> {
    const TRIES: u32 = 100;
    for _ in 1..TRIES {
        match run() {
            Err(ClusterError::Statement { error, .. }) if error.code() == Some(&SqlState::OBJECT_IN_USE) => {
                std::thread::sleep(Duration::from_millis(50));
            }
            done => return done,
        }
    }
    run()
}

async fn simple(url: &str, statements: &str) -> Result<Rows, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let driver = tokio::spawn(connection);
    let messages = client.simple_query(statements).await;
    drop(client);
    // What the connection has to say, the statements have said.
    let _ = driver.await;
    Ok(messages?.iter().filter_map(row).collect())
}

fn row(message: &SimpleQueryMessage) -> Option<Vec<Option<String>>> {
    match message {
        SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect()),
        _ => None,
    }
}
