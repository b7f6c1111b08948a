//! 3CX: what phone systems call: the webhook of the public contract, the SMS trunk, the CRM template, and the files that they were posted.
//!
//! A call names an integration and no account. Whoever cannot show to be that phone system learns nothing, not even whether there is such an
//! integration; why they were not let in stands in the operator's log.

mod files;

pub use files::file_path;
