//! Trains the content guard's model, and measures the guard on rows that no training saw.
//!
//! Order and seed are fixed: the same rows give the same file. The rows in `corpus/` are our own. `--public DIR` names a folder of sets
//! that others made; they are read and never kept.
#![expect(clippy::print_stdout, reason = "a command answers on standard output")]

mod corpus;
mod cross;
mod learn;
mod measure;
mod model_file;
mod phrases;

use std::error::Error;
use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};

use corpus::Corpus;

#[derive(Parser)]
#[command(about = "Trains and measures the content guard.")]
struct Arguments {
    /// The folder of our own rows.
    #[arg(long, global = true, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus"))]
    corpus: PathBuf,
    /// A folder of public sets, read where it is given.
    #[arg(long, global = true)]
    public: Option<PathBuf>,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Train the model and write it beside its manifest and its SHA-256.
    Train {
        /// Where the core keeps it.
        #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../core/src/examine/guard.model"))]
        output: PathBuf,
    },
    /// Measure the guard, as it is built in, on rows that no training saw.
    Measure {
        /// Measure the rows that it was trained on instead.
        #[arg(long)]
        seen: bool,
        /// Print the rows that are judged wrongly; never those that are kept aside.
        #[arg(long)]
        wrong: bool,
    },
    /// Tell how the guard would do on rows that it did not see, by training on four fifths of the training rows and judging the rest, under
    /// several settings of how sure the model must be. The sealed rows have no part in it.
    Cross {
        /// Print the rows of `purpose.tsv` that are judged wrongly.
        #[arg(long)]
        wrong: bool,
    },
    /// Tell how often each signal and phrase stands in wanted and unwanted rows of the training.
    Phrases,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let corpus = Corpus::read(&arguments.corpus, arguments.public.as_deref())?;
    match arguments.what {
        What::Train { output } => train(&corpus, &output),
        What::Measure { seen, wrong } => {
            print!("{}", measure::report(&corpus, seen, wrong && seen));
            Ok(())
        }
        What::Cross { wrong } => {
            print!("{}", cross::report(&corpus, wrong));
            Ok(())
        }
        What::Phrases => {
            print!("{}", phrases::report(&corpus));
            Ok(())
        }
    }
}

fn train(corpus: &Corpus, output: &Path) -> Result<(), Box<dyn Error>> {
    let learned = learn::learn(&corpus.training());
    let manifest = model_file::manifest(corpus);
    let bytes = model_file::bytes(&learned, &manifest);
    let sum = model_file::sum(&bytes);
    std::fs::write(output, bytes)?;
    std::fs::write(output.with_extension("manifest"), &manifest)?;
    std::fs::write(output.with_extension("sha256"), &sum)?;
    print!("trained on {} rows, written to {}\n{sum}", corpus.training().len(), output.display());
    Ok(())
}
