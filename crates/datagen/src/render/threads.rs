//! Chunks → rendered chunks in order, rendered by several threads.
//!
//! The calling thread plans and takes; the others render. Chunk `k` always goes to renderer `k mod threads`,
//! each renderer answers in the order in which it was asked, and the caller collects the answers in the same
//! rotation. So the lines are in order without a lock, a map or a sequence number. All chunks cost about the
//! same, so the rotation keeps the renderers equally busy.
//!
//! Invariant: at most [`CHUNKS_IN_FLIGHT`] chunks per thread exist at any time, in buffers that are reused,
//! whatever the number of events. A slow reader of the output slows the plan down.

use std::{
    io,
    ops::ControlFlow,
    sync::mpsc::{self, Receiver, Sender},
    thread::{self, Scope},
};

use super::{Rendered, Rendering};
use crate::{
    error::Error,
    worlds::{Job, World},
};

/// Per renderer: one that it works on, one that is next, and finished ones that wait for the writer.
const CHUNKS_IN_FLIGHT: usize = 4;

/// Renders every chunk in the calling thread. `take` receives them in order, until it breaks.
pub(super) fn render_in_this_thread<W: World>(
    rendering: &Rendering<'_, W>,
    jobs: impl Iterator<Item = Result<Job<W::Chunk>, Error>>,
    mut take: impl FnMut(&Rendered) -> Result<ControlFlow<()>, Error>,
) -> Result<(), Error> {
    let (mut compressor, mut rendered) = (rendering.compression.compressor(), Rendered::new());
    for job in jobs {
        rendering.render(&job?, &mut compressor, &mut rendered);
        if take(&rendered)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// Renders the chunks in `threads` more threads, or as many as the system starts. `take` receives them in
/// order, until it breaks.
pub(super) fn render_in_threads<W: World>(
    rendering: &Rendering<'_, W>,
    jobs: impl Iterator<Item = Result<Job<W::Chunk>, Error>>,
    threads: usize,
    mut take: impl FnMut(&Rendered) -> Result<ControlFlow<()>, Error>,
) -> Result<(), Error> {
    thread::scope(|scope| {
        // Leaving this closure, with or without an error, drops the job channels, and each renderer ends
        // after its last chunk.
        let renderers: Vec<_> = (0..threads).map_while(|_| Renderer::start(scope, rendering).ok()).collect();
        if renderers.is_empty() {
            return render_in_this_thread(rendering, jobs, take);
        }
        let mut asked = renderers.iter().cycle();
        let mut answering = renderers.iter().cycle();
        let mut in_flight = 0;
        let mut planned = Ok(());
        for job in jobs {
            let job = match job {
                Ok(job) => job,
                Err(error) => {
                    // The chunks before it are still written, as a single thread would have done.
                    planned = Err(error);
                    break;
                }
            };
            let rendered = if in_flight < renderers.len() * CHUNKS_IN_FLIGHT {
                in_flight += 1;
                Rendered::new()
            } else {
                let rendered = next_in_turn(&mut answering).answer();
                if take(&rendered)?.is_break() {
                    return Ok(());
                }
                rendered
            };
            next_in_turn(&mut asked).ask(job, rendered);
        }
        for _ in 0..in_flight {
            if take(&next_in_turn(&mut answering).answer())?.is_break() {
                return Ok(());
            }
        }
        planned
    })
}

fn next_in_turn<'r, C: 'r>(rotation: &mut impl Iterator<Item = &'r Renderer<C>>) -> &'r Renderer<C> {
    rotation.next().expect("a rotation of at least one renderer never ends")
}

/// A thread that renders chunks in the order in which they are given to it.
#[derive(Debug)]
struct Renderer<C> {
    jobs: Sender<(Job<C>, Rendered)>,
    done: Receiver<Rendered>,
}

impl<C> Renderer<C> {
    fn start<'s, W: World<Chunk = C>>(
        scope: &'s Scope<'s, '_>,
        rendering: &'s Rendering<'_, W>,
    ) -> io::Result<Self>
    where
        C: Send + Sync + 's,
    {
        // The channels need no bound: the caller never puts more than CHUNKS_IN_FLIGHT chunks into them.
        let (jobs, pending) = mpsc::channel::<(Job<C>, Rendered)>();
        let (answers, done) = mpsc::channel();
        let work = move || {
            let mut compressor = rendering.compression.compressor();
            for (job, mut rendered) in pending {
                rendering.render(&job, &mut compressor, &mut rendered);
                if answers.send(rendered).is_err() {
                    break;
                }
            }
        };
        thread::Builder::new().name("render".to_owned()).spawn_scoped(scope, work)?;
        Ok(Self { jobs, done })
    }

    fn ask(&self, job: Job<C>, rendered: Rendered) {
        self.jobs.send((job, rendered)).expect("a renderer lives until its jobs are dropped");
    }

    fn answer(&self) -> Rendered {
        self.done.recv().expect("a renderer answers each job")
    }
}
