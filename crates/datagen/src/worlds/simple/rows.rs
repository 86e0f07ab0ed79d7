//! An event of the simple world → the values of its payload in the row that a correct load makes of it.
//!
//! Invariant: the columns are those of the built-in catalog, in its order; `data.id`, `data.to` and
//! `data.from` of payments are strings there.

use events_core::truth::RowDigest;

use super::{AccountChange, Details, SimpleEvent, lines::status_name};

#[inline]
pub(super) fn write(event: &SimpleEvent, row: &mut RowDigest) {
    match event.details {
        Details::Account { change, reason } => {
            row.integer(event.entity.into());
            match change {
                AccountChange::Open => {
                    row.null();
                    row.text(b"PENDING");
                }
                AccountChange::Close => {
                    row.null();
                    row.text(b"CLOSED");
                }
                AccountChange::Status { old, new } => {
                    row.text(status_name(old).as_bytes());
                    row.text(status_name(new).as_bytes());
                }
            }
            row.text_of(|bytes| reason.append_to(bytes));
        }
        Details::Payment { to, from, cents, .. } => {
            // A number and its text have the same bytes in a digest.
            row.integer(event.entity.into());
            row.integer(to.into());
            row.integer(from.into());
            row.decimal(cents.into(), 2);
        }
    }
}
