//! A plan in, the lines of its chunks out in order, rendered by several threads.
//!
//! The calling thread plans and writes; the others render. Chunk `k` always goes to renderer `k mod threads`, each
//! renderer answers in the order in which it was asked, and the caller collects the answers in the same rotation: the
//! lines are in order without a lock, a map or a sequence number. Chunks cost all the same, so the rotation keeps the
//! renderers equally busy.
//!
//! Invariant: at most [`CHUNKS_IN_FLIGHT`] chunks per thread exist at any time, in buffers that go round, whatever the
//! number of events. A slow reader of the output slows the plan down.

use std::io::Write;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, Scope};

use crate::json_lines::Lines;
use crate::plan::{Chunk, Plan};
use crate::simple::SimpleWorld;
use crate::{Error, Summary};

/// Per renderer: one that it works on, one that waits for it, and finished ones that wait for the writer.
const CHUNKS_IN_FLIGHT: usize = 4;

/// Renders every chunk of `plan` in the calling thread.
pub(crate) fn write_alone(world: &SimpleWorld, plan: Plan, out: &mut impl Write) -> Result<Summary, Error> {
    let mut summary = Summary::default();
    let mut lines = Lines::new();
    for chunk in plan {
        let chunk = chunk?;
        lines.render(world, &chunk);
        write(&chunk, &lines, out, &mut summary)?;
    }
    Ok(summary)
}

/// Renders the chunks of `plan` in `threads` more threads.
pub(crate) fn write_with_threads(
    world: &SimpleWorld,
    plan: Plan,
    threads: usize,
    out: &mut impl Write,
) -> Result<Summary, Error> {
    thread::scope(|scope| {
        // Leaving this closure, with an error or without, drops the renderers' jobs: they end after their last chunk.
        let renderers = (0..threads).map(|_| Renderer::start(scope, world)).collect::<Result<Vec<_>, _>>()?;
        let mut asked = renderers.iter().cycle();
        let mut answering = renderers.iter().cycle();
        let mut summary = Summary::default();
        let mut in_flight = 0;
        let mut planned = Ok(());
        for chunk in plan {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) => {
                    // What was planned before is still written: as much as one thread would have.
                    planned = Err(error);
                    break;
                }
            };
            let lines = if in_flight < threads * CHUNKS_IN_FLIGHT {
                in_flight += 1;
                Lines::new()
            } else {
                write_answer(next_in_turn(&mut answering), out, &mut summary)?
            };
            next_in_turn(&mut asked).ask(chunk, lines);
        }
        for _ in 0..in_flight {
            write_answer(next_in_turn(&mut answering), out, &mut summary)?;
        }
        planned.map(|()| summary)
    })
}

fn next_in_turn<'r>(rotation: &mut impl Iterator<Item = &'r Renderer>) -> &'r Renderer {
    rotation.next().expect("a rotation of at least one renderer never ends")
}

/// Writes the lines that the renderer was asked for first, and gives their buffer back.
fn write_answer(renderer: &Renderer, out: &mut impl Write, summary: &mut Summary) -> Result<Lines, Error> {
    let (chunk, lines) = renderer.answer();
    write(&chunk, &lines, out, summary)?;
    Ok(lines)
}

fn write(chunk: &Chunk, lines: &Lines, out: &mut impl Write, summary: &mut Summary) -> Result<(), Error> {
    let bytes = lines.as_bytes();
    out.write_all(bytes).map_err(Error::Write)?;
    summary.events += u64::from(chunk.events);
    summary.bytes += bytes.len() as u64;
    Ok(())
}

/// A thread that turns chunks into lines, in the order in which they come.
#[derive(Debug)]
struct Renderer {
    jobs: Sender<(Chunk, Lines)>,
    done: Receiver<(Chunk, Lines)>,
}

impl Renderer {
    fn start<'s>(scope: &'s Scope<'s, '_>, world: &'s SimpleWorld) -> Result<Self, Error> {
        // No bound on the channels: the caller never has more than CHUNKS_IN_FLIGHT chunks in them.
        let (jobs, jobs_to_do) = mpsc::channel::<(Chunk, Lines)>();
        let (rendered, done) = mpsc::channel();
        let work = move || {
            for (chunk, mut lines) in jobs_to_do {
                lines.render(world, &chunk);
                if rendered.send((chunk, lines)).is_err() {
                    break;
                }
            }
        };
        thread::Builder::new().name("render".to_owned()).spawn_scoped(scope, work).map_err(Error::Thread)?;
        Ok(Self { jobs, done })
    }

    fn ask(&self, chunk: Chunk, lines: Lines) {
        self.jobs.send((chunk, lines)).expect("a renderer lives until its jobs are dropped");
    }

    fn answer(&self) -> (Chunk, Lines) {
        self.done.recv().expect("a renderer answers each job")
    }
}
