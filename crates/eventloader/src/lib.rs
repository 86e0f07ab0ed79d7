//! JSON events → Parquet.
pub mod error;
mod selection;
mod sources;
mod bytes;
mod blocks;
mod json;
mod fault;
mod plan;
mod events;
mod lines;
mod columns;
mod ids;
mod batch;
