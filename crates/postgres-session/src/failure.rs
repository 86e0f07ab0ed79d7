//! What a server or a connection says → an error of the target.
//!
//! Invariant: of an answer its message and its SQLSTATE are shown, and what it says of rows; no statement.

use std::{error::Error, io, io::ErrorKind};

use event_target::TargetError;
use tokio_postgres::error::{DbError, Severity, SqlState};

/// The text of an error, on one line.
pub(crate) fn text_of(error: &tokio_postgres::Error) -> String {
    if let Some(answer) = error.as_db_error() {
        return text_of_answer(answer);
    }
    let first: &(dyn Error + 'static) = error;
    let chain = std::iter::successors(Some(first), |error| (*error).source());
    let texts: Vec<_> = chain.map(ToString::to_string).collect();
    // The chain's last part says what happened; the first parts say what was being done.
    on_one_line(texts.last().map_or("", String::as_str))
}

fn text_of_answer(answer: &DbError) -> String {
    let mut text = on_one_line(answer.message());
    if let Some(detail) = answer.detail() {
        text = format!("{text}: {}", on_one_line(detail));
    }
    format!("{text} (SQLSTATE {})", answer.code().code())
}

fn on_one_line(text: &str) -> String {
    text.trim().replace(|character: char| character.is_control(), " ")
}

/// Whether the server has said that a statement failed, and still listens.
pub(crate) fn is_refusal(error: &tokio_postgres::Error) -> bool {
    let is_of_statement = |answer: &DbError| answer.parsed_severity() == Some(Severity::Error);
    error.as_db_error().is_some_and(is_of_statement)
}

/// What a transaction was doing when something failed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Doing<'a> {
    /// How messages name the target.
    pub(crate) address: &'a str,
    /// What was being done.
    pub(crate) what: &'static str,
    /// Whether something was to be changed.
    pub(crate) is_change: bool,
    /// Why the connection ended, if it has.
    pub(crate) ended: Option<&'a str>,
}

impl Doing<'_> {
    /// The error of a statement.
    pub(crate) fn failed(self, error: &tokio_postgres::Error) -> TargetError {
        let (path, text) = (self.address.into(), text_of(error));
        let state = error.code();
        let is = |wanted: &SqlState| state == Some(wanted);
        if is(&SqlState::LOCK_NOT_AVAILABLE) {
            return TargetError::Locked { path, holder: format!(", or another program: {text}") };
        }
        if is(&SqlState::T_R_SERIALIZATION_FAILURE) || is(&SqlState::T_R_DEADLOCK_DETECTED) {
            return TargetError::Overtaken { path, what: format!("rows that this one needs ({text})") };
        }
        let is_right = is(&SqlState::INSUFFICIENT_PRIVILEGE) || is(&SqlState::READ_ONLY_SQL_TRANSACTION);
        if is_right && self.is_change {
            return TargetError::Unwritable { path, problem: text };
        }
        if is_right {
            return TargetError::Unusable { path, problem: text };
        }
        TargetError::Io { doing: self.what, source: self.as_io(error) }
    }

    /// The same as an error of the system.
    pub(crate) fn as_io(self, error: &tokio_postgres::Error) -> io::Error {
        let Self { address, ended, .. } = self;
        if is_refusal(error) {
            return io::Error::other(format!("{address}: {}", text_of(error)));
        }
        let why = ended.map_or_else(|| text_of(error), on_one_line);
        io::Error::new(ErrorKind::ConnectionAborted, format!("{address}: the connection was lost: {why}"))
    }
}

/// Whether a connection failed because it can't be encrypted.
pub(crate) fn is_of_encryption(error: &tokio_postgres::Error) -> bool {
    error.to_string().contains("TLS")
}
