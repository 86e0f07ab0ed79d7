//! Bytes of JSON events → columns per event type, bad lines with their reasons, and counts.
//!
//! ```text
//! text → blocks (framing) → lines → events (base fields, filter) → payload → columns
//! ```
//!
//! A [`Cutter`] cuts a text into [`Block`]s, and a [`Parser`] turns each block into a [`Parsed`], by a
//! [`Plan`] of the catalog. Blocks are independent of each other, so each thread may have a parser of its
//! own. There are no files here, no threads and no command line. The loader reads every event through this
//! API.
//!
//! ```
//! use event_parser::{Buffer, Cutter, Parser, ParserOptions, Plan, Reason, Selection};
//! use events_core::catalog::Catalog;
//!
//! let catalog = "
//!     [domain.shop.events.sale.fields]
//!     article = 'string'
//!     price   = 'decimal(10,2)'
//! ";
//! let catalog = Catalog::from_toml(&[("shop.toml", catalog)])?;
//! let text = concat!(
//!     r#"{"event_id": "1", "timestamp": "2024-10-10T08:00:00Z", "domain": "shop", "event_type": "sale", "#,
//!     r#""data": {"article": "tea", "price": 4.5}}"#,
//!     "\n",
//!     r#"{"event_id": "2", "timestamp": "2024-10-10T08:00:01Z", "domain": "shop", "event_type": "sale", "#,
//!     r#""data": {"price": "a lot"}}"#,
//!     "\n",
//! );
//!
//! let plan = Plan::new(&catalog);
//! let selection = Selection::default();
//! let options = ParserOptions { selection: &selection, flatten: true, wants_later_candidates: false };
//! let mut parser = Parser::new(&plan, options);
//! let mut blocks = Cutter::new(text.as_bytes(), 4 << 20);
//! while let Some(block) = blocks.next_block(Buffer::default())? {
//!     let parsed = parser.parse(&block);
//!     assert_eq!((parsed.lines, parsed.blank, parsed.filtered), (2, 0, 0));
//!     for (type_index, batch) in &parsed.batches {
//!         let rows = batch.to_record_batch(plan.event_type(*type_index), true)?;
//!         assert_eq!(rows.num_rows(), 1);
//!         assert_eq!(rows.schema().field(5).name(), "data_price");
//!     }
//!     let bad = &parsed.bad[0];
//!     assert_eq!((bad.line_index, bad.fault.reason), (1, Reason::TypeMismatch));
//!     assert_eq!(bad.fault.detail.to_string(), r#"data.price: expected decimal(10,2), found "a lot""#);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Invariant: the result of a line depends on the line, the catalog and the options alone. What a parser
//! learns from one line makes later lines faster to read, never different.

mod framing;
pub mod json;
mod selection;
mod plan;
mod envelope;
mod payload;
mod events;
mod columns;
mod batch;
mod fault;
mod block_state;
mod parser;
mod reader_memory;
mod judge;

#[cfg(any(test, fuzzing))]
pub mod fuzzing;

pub use self::{
    events::NamedEvent,
    fault::{Detail, Fault, Reason},
    framing::{
        Block, Buffer, Content, CutError, Cutter, Element, FRAGMENT_BYTES, Fragment, Framing, LINE_BYTES_MAX,
        Line, Records, Unit, newlines_in, replayed_line,
    },
    judge::{Judgement, LineJudge},
    parser::{BadLine, Counts, OTHER_NAMES, Parsed, Parser, ParserOptions},
    plan::Plan,
    selection::{DayRange, Selection, SelectionError, UnknownName},
};
