//! The calls of an engine that distributes a load: batches of Arrow go in and come out.
//!
//! Invariant: an error is an exception that says what happened, where, and what to do. While Rust is at work,
//! other threads of Python run on.

use std::{
    collections::HashMap,
    ffi::OsString,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
};

use arrow::{array::RecordBatch, datatypes::Schema, pyarrow::PyArrowType};
use eventloader::{
    commands::distributed::{Division, SplitBatches, Task, schema},
    error::Error,
    program::distributed::{DistributedLoad, Ended, task},
};
use pyo3::{
    Bound, PyErr, PyRef, PyRefMut, PyResult, Python, create_exception,
    exceptions::{PyException, PySystemExit, PyValueError},
    pyclass, pyfunction, pymethods,
    types::PyAnyMethods,
};

create_exception!(eventloader, LoadError, PyException, "A load that failed; `exit_code` is the program's.");

type Batch = PyArrowType<RecordBatch>;

/// The tasks of the job that this process works for, by its handle. Another job takes its place.
static TASK: LazyLock<Mutex<HashMap<String, Arc<Task>>>> = LazyLock::new(Mutex::default);

fn task_of(job: String) -> Result<Arc<Task>, Ended> {
    let mut known = TASK.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(task) = known.get(&job) {
        return Ok(Arc::clone(task));
    }
    let made = task(&job)?;
    known.clear();
    known.insert(job, Arc::clone(&made));
    Ok(made)
}

/// An exception; what was printed already only ends the program.
fn exception(ended: Ended) -> PyErr {
    let Ended { exit_code, message } = ended;
    let Some(message) = message else { return PySystemExit::new_err(exit_code) };
    let error = LoadError::new_err(message);
    Python::attach(|py| match error.value(py).setattr("exit_code", exit_code) {
        Ok(()) => error,
        Err(failed) => failed,
    })
}

fn failed(error: Error) -> PyErr {
    exception(error.into())
}

/// The form of all batches that tasks hand to each other.
#[pyfunction]
pub(crate) fn batch_schema() -> PyArrowType<Schema> {
    PyArrowType(schema().as_ref().clone())
}

/// The batches of a split.
#[pyclass(module = "eventloader", name = "SplitBatches")]
pub(crate) struct PySplitBatches(Mutex<SplitBatches>);

#[pymethods]
impl PySplitBatches {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        let next = py.detach(|| locked(&self.0).next_batch()).map_err(failed)?;
        Ok(next.map(PyArrowType))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads a split: its rows go into files beside the target, what other tasks must know comes back.
#[pyfunction]
pub(crate) fn parse_split(py: Python<'_>, job: String, split: usize) -> PyResult<PySplitBatches> {
    let batches = py.detach(|| Ok(task_of(job)?.parse(split)?)).map_err(exception)?;
    Ok(PySplitBatches(Mutex::new(batches)))
}

/// Decides which rows are the latest, of buckets all of whose rows are in the batches.
#[pyfunction]
pub(crate) fn resolve_buckets(py: Python<'_>, job: String, batches: Vec<Batch>) -> PyResult<Batch> {
    on_task(py, job, batches, Task::resolve)
}

/// Writes partitions all of whose rows are named in the batches.
#[pyfunction]
pub(crate) fn write_partitions(py: Python<'_>, job: String, batches: Vec<Batch>) -> PyResult<Batch> {
    on_task(py, job, batches, Task::write)
}

fn on_task(
    py: Python<'_>,
    job: String,
    batches: Vec<Batch>,
    work: fn(&Task, &[RecordBatch]) -> Result<RecordBatch, Error>,
) -> PyResult<Batch> {
    let batches: Vec<_> = batches.into_iter().map(|batch| batch.0).collect();
    let worked = py.detach(|| {
        let task = task_of(job)?;
        Ok(work(&task, &batches)?)
    });
    worked.map(PyArrowType).map_err(exception)
}

/// A load that an engine distributes, in the driver.
#[pyclass(module = "eventloader")]
pub(crate) struct Job(Mutex<Option<DistributedLoad>>);

impl Job {
    fn take(&self) -> PyResult<DistributedLoad> {
        locked(&self.0).take().ok_or_else(over)
    }

    fn look<T>(&self, look: impl FnOnce(&DistributedLoad) -> T) -> PyResult<T> {
        locked(&self.0).as_ref().map(look).ok_or_else(over)
    }
}

fn over() -> PyErr {
    PyValueError::new_err("the job is over: it was committed or abandoned")
}

#[pymethods]
impl Job {
    #[new]
    #[pyo3(signature = (arguments, *, split_bytes = 64 << 20, buckets = None, task_memory_bytes = None))]
    fn new(
        py: Python<'_>,
        arguments: Vec<OsString>,
        split_bytes: u64,
        buckets: Option<u32>,
        task_memory_bytes: Option<usize>,
    ) -> PyResult<Self> {
        let arguments: Vec<_> = [OsString::from("eventloader")].into_iter().chain(arguments).collect();
        let division = Division { split_bytes, buckets, task_memory_bytes };
        let load = py.detach(|| DistributedLoad::open(&arguments, division)).map_err(exception)?;
        Ok(Self(Mutex::new(Some(load))))
    }

    /// What a task finds the job by.
    #[getter]
    fn handle(&self) -> PyResult<String> {
        self.look(DistributedLoad::handle)
    }

    /// How many splits there are; `parse_split` takes their numbers, from 0.
    #[getter]
    fn split_count(&self) -> PyResult<usize> {
        self.look(DistributedLoad::split_count)
    }

    /// Proves the counts of all tasks, and commits; prints the summary, and returns the report as JSON.
    fn commit(&self, py: Python<'_>, answers: Vec<Batch>) -> PyResult<String> {
        let load = self.take()?;
        let answers: Vec<_> = answers.into_iter().map(|batch| batch.0).collect();
        py.detach(|| load.commit(&answers)).map_err(exception)
    }

    /// Ends the job without a commit, if it is not over.
    fn abandon(&self, py: Python<'_>) {
        if let Ok(load) = self.take() {
            py.detach(|| load.abandon());
        }
    }

    fn __enter__(slf: PyRefMut<'_, Self>) -> PyRefMut<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(&self, py: Python<'_>, _raised: &Bound<'_, pyo3::types::PyTuple>) {
        self.abandon(py);
    }
}
