//! Postfix `main.cf` and `master.cf` as lossless values.
//!
//! Owns: the text of the two files. Every byte that was parsed is printed again; an edit changes
//! only the lines it names, and what it may not change (order, comments, layout, line ends) it does
//! not touch. Beside that: `$name` expansion, and findings with line numbers.
//!
//! Never: opens a file, knows what a parameter means, fails to parse. A file that Postfix refuses is
//! a value like any other, with findings that say what Postfix will refuse.
//!
//! Why so: administrators refuse tools that rewrite their files, and `postconf -e` collapses
//! continuation lines and garbles a file without a final newline (Postfix 3.7.11). The grammar here
//! was measured on Postfix 3.7.11 and is the one of 2.x to 3.11.
//!
//! ```
//! use postfix_cf::MainCf;
//!
//! let mut main = MainCf::parse(b"# mail\nmyhostname   = a.example  \nrelayhost =\n");
//! assert_eq!(main.get("myhostname").as_deref(), Some(&b"a.example"[..]));
//! main.set("myhostname", b"b.example")?;
//! assert_eq!(main.to_bytes(), b"# mail\nmyhostname   = b.example\nrelayhost =\n");
//! # Ok::<(), postfix_cf::EditError>(())
//! ```

mod document;
mod error;
mod expand;
mod finding;
mod line;
mod list;
mod main_cf;
mod master_cf;
mod remark;
pub mod table;

pub use error::{EditError, ExpandError};

pub use expand::{check_expansion, expand, references};
pub use finding::{Finding, FindingCode, Severity};
pub use list::{elements, elements_of_bytes};
pub use main_cf::{Entry, MainCf};
pub use master_cf::{
    Braces, Field, MasterCf, Override, OverrideForm, Service, ServiceKey, Template,
};
