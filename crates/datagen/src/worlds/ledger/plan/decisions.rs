//! A plan → its decisions, one by one, for code that looks for an event and renders none.
//!
//! Invariant: they are those of the plan's chunks, and continue after the plan's end as long as the stream
//! does.

use super::{Decision, Plan};
use crate::{
    error::Error,
    stream::{CHUNK_EVENTS, random::Engine},
};

/// The decisions of a plan.
#[derive(Debug)]
pub(in crate::worlds::ledger) struct Decisions {
    plan: Plan,
    life: Engine,
    steps: Engine,
}

impl Decisions {
    /// Begins with the first event.
    pub(in crate::worlds::ledger) fn new(plan: Plan) -> Self {
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
