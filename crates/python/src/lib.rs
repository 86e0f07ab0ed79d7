//! The Python module `eventloader._native`: what the package `eventloader` has of Rust.
//!
//! In: arguments of Python. Out: values of Python, or exceptions.
//!
//! Invariant: a panic is an exception, never the end of the interpreter; the interpreter's other threads run
//! on while Rust is at work.

mod engine;
mod programs;

#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    use crate::engine::{
        Job, LoadError, PySplitBatches, batch_schema, parse_split, resolve_buckets, write_partitions,
    };
    #[pymodule_export]
    use crate::programs::{run_datagen, run_eventloader};

    /// The version of the package.
    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "the name is Python's")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
