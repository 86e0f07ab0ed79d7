//! A plan in, what it decides out, one by one: for those who look for an event and render none.
//!
//! Invariant: they are those of the plan's chunks, and go on behind the plan's end until the stream can't.

use super::{Decision, Plan};
use crate::Error;
use crate::streams::Engine;
use crate::world::CHUNK_EVENTS;

/// What a plan decides.
#[derive(Debug)]
pub(in crate::ledger) struct Decisions {
    plan: Plan,
    life: Engine,
    steps: Engine,
}

impl Decisions {
    /// From the first event on.
    pub(in crate::ledger) fn new(plan: Plan) -> Self {
        Self { life: plan.life.engine(0), steps: plan.steps.engine(0), plan }
    }
}

impl Iterator for Decisions {
    type Item = Result<Decision, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let Self { plan, life, steps } = self;
        if plan.index.is_multiple_of(u64::from(CHUNK_EVENTS)) {
            let chunk = plan.index / u64::from(CHUNK_EVENTS);
            (*life, *steps) = (plan.life.engine(chunk), plan.steps.engine(chunk));
        }
        Some(plan.step(life, steps))
    }
}
