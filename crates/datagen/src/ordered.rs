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

use crate::render::{Rendered, Rendering};
use crate::world::World;
use crate::{Error, Summary};

/// Per renderer: one that it works on, one that waits for it, and finished ones that wait for the writer.
const CHUNKS_IN_FLIGHT: usize = 4;

/// Renders every chunk in the calling thread.
pub(crate) fn write_alone<W: World>(
    rendering: &Rendering<'_, W>,
    chunks: impl Iterator<Item = Result<W::Chunk, Error>>,
    out: &mut impl Write,
) -> Result<Summary, Error> {
    let mut summary = Summary::default();
    let mut rendered = Rendered::new();
    for chunk in chunks {
        rendering.render(&chunk?, &mut rendered);
        write(&rendered, out, &mut summary)?;
    }
    Ok(summary)
}

/// Renders the chunks in `threads` more threads.
pub(crate) fn write_with_threads<W: World>(
    rendering: &Rendering<'_, W>,
    chunks: impl Iterator<Item = Result<W::Chunk, Error>>,
    threads: usize,
    out: &mut impl Write,
) -> Result<Summary, Error> {
    thread::scope(|scope| {
        // Leaving this closure, with an error or without, drops the renderers' jobs: they end after their last chunk.
        let renderers =
            (0..threads).map(|_| Renderer::start(scope, rendering)).collect::<Result<Vec<_>, _>>()?;
        let mut asked = renderers.iter().cycle();
        let mut answering = renderers.iter().cycle();
        let mut summary = Summary::default();
        let mut in_flight = 0;
        let mut planned = Ok(());
        for chunk in chunks {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) => {
                    // What was planned before is still written: as much as one thread would have.
                    planned = Err(error);
                    break;
                }
            };
            let rendered = if in_flight < threads * CHUNKS_IN_FLIGHT {
                in_flight += 1;
                Rendered::new()
            } else {
                write_answer(next_in_turn(&mut answering), out, &mut summary)?
            };
            next_in_turn(&mut asked).ask(chunk, rendered);
        }
        for _ in 0..in_flight {
            write_answer(next_in_turn(&mut answering), out, &mut summary)?;
        }
        planned.map(|()| summary)
    })
}

fn next_in_turn<'r, C>(rotation: &mut impl Iterator<Item = &'r Renderer<C>>) -> &'r Renderer<C>
where
    C: 'r,
{
    rotation.next().expect("a rotation of at least one renderer never ends")
}

/// Writes the lines that the renderer was asked for first, and gives their buffer back.
fn write_answer<C>(
    renderer: &Renderer<C>,
    out: &mut impl Write,
    summary: &mut Summary,
) -> Result<Rendered, Error> {
    let rendered = renderer.answer();
    write(&rendered, out, summary)?;
    Ok(rendered)
}

fn write(rendered: &Rendered, out: &mut impl Write, summary: &mut Summary) -> Result<(), Error> {
    let bytes = rendered.as_bytes();
    out.write_all(bytes).map_err(Error::Write)?;
    summary.events += rendered.events;
    summary.bytes += bytes.len() as u64;
    Ok(())
}

/// A thread that turns chunks into lines, in the order in which they come.
#[derive(Debug)]
struct Renderer<C> {
    jobs: Sender<(C, Rendered)>,
    done: Receiver<Rendered>,
}

impl<C: Send> Renderer<C> {
    fn start<'s, W: World<Chunk = C>>(
        scope: &'s Scope<'s, '_>,
        rendering: &'s Rendering<'_, W>,
    ) -> Result<Self, Error>
    where
        C: 's,
    {
        // No bound on the channels: the caller never has more than CHUNKS_IN_FLIGHT chunks in them.
        let (jobs, jobs_to_do) = mpsc::channel::<(C, Rendered)>();
        let (answers, done) = mpsc::channel();
        let work = move || {
            for (chunk, mut rendered) in jobs_to_do {
                rendering.render(&chunk, &mut rendered);
                if answers.send(rendered).is_err() {
                    break;
                }
            }
        };
        thread::Builder::new().name("render".to_owned()).spawn_scoped(scope, work).map_err(Error::Thread)?;
        Ok(Self { jobs, done })
    }
}

impl<C> Renderer<C> {
    fn ask(&self, chunk: C, rendered: Rendered) {
        self.jobs.send((chunk, rendered)).expect("a renderer lives until its jobs are dropped");
    }

    fn answer(&self) -> Rendered {
        self.done.recv().expect("a renderer answers each job")
    }
}
