//! What a load has staged → a commit of its target; nothing for a dry run.
//!
//! Invariant: a dry run holds no lock and writes nothing.

use std::collections::BTreeMap;

use event_target::{
    Change, LoadFacts, Location, NewCommit, Reads, Staging, Target, TargetError, TargetLayout,
};

use crate::settings::{Input, Settings};

/// The destination of a load.
pub(super) enum Sink<'s> {
    /// A target.
    Target(Target),
    /// A dry run reads the target and writes nothing.
    DryRun(&'s Location),
}

/// What a load commits.
pub(super) struct ReadyCommit {
    pub(super) changes: Vec<Change>,
    pub(super) load: LoadFacts,
    /// Whether it is recorded even if it changes nothing: it has a source that the target does not know.
    pub(super) is_news: bool,
    /// What of the target it was made from.
    pub(super) reads: Reads,
    /// Of a target of tables: their schemas, by their directories.
    pub(super) schemas: BTreeMap<String, String>,
}

impl<'s> Sink<'s> {
    pub(super) fn open(settings: &'s Settings) -> Result<Self, TargetError> {
        let target = &settings.target;
        if settings.dry_run {
            return Ok(Self::DryRun(target));
        }
        let must_exist = matches!(settings.input, Input::Replay(_));
        if must_exist { Target::open_existing(target) } else { Target::open(target) }.map(Self::Target)
    }

    pub(super) fn begin(&mut self, layout: &TargetLayout) -> Result<Staging, TargetError> {
        match self {
            Self::Target(target) => target.begin(layout),
            Self::DryRun(target) => target.check_layout(layout).map(|()| Staging::Discard),
        }
    }

    /// Deletes what was staged.
    pub(super) fn begin_anew(&mut self) -> Result<(), TargetError> {
        match self {
            Self::Target(target) => target.begin_anew(),
            Self::DryRun(_) => Ok(()),
        }
    }

    /// Commits, and returns whether something could be committed.
    pub(super) fn commit(
        self,
        commit: ReadyCommit,
        layout: TargetLayout,
        threads: usize,
    ) -> Result<bool, TargetError> {
        let Self::Target(target) = self else { return Ok(false) };
        let ReadyCommit { changes, load, is_news, reads, schemas } = commit;
        let new = NewCommit { changes, layout, load, is_news, reads, schemas };
        target.commit(new, threads).map(|()| true)
    }

    pub(super) fn abandon(self) {
        if let Self::Target(target) = self {
            target.abandon();
        }
    }
}
