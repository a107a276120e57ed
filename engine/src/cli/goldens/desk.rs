//! What is set aside, laid out with today's scenarios and goldens.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use super::super::args::{PathArgs, SelectArgs};
use super::super::exit::Failure;
use super::super::load::Selection;
use crate::golden::{self, FolderUpdate, GoldenStore, store::apply};
use crate::pending::store::{Held, hold};
use crate::pending::{Accepted, Entry, Item, Name, Stale, decide, present};
use crate::plan::{CaseId, CasePlan};

/// Everything that a decision needs.
pub(super) struct Desk {
    pub(super) held: Held,
    goldens: GoldenStore,
    plans: HashMap<(usize, CaseId), CasePlan>,
    images: std::path::PathBuf,
    paths: PathArgs,
}

/// A decision for one text: the golden's place, and why.
pub(super) type Decided<'a> = (&'a Item<'a>, &'a str);

impl Desk {
    /// Lays out what is set aside in a folder.
    ///
    /// # Errors
    /// A scenario, golden or file of what is set aside that can't be used.
    pub(super) fn lay(aside: &Path, golden: &Path, images: &Path, paths: &PathArgs) -> Result<Self, Failure> {
        let held = hold(aside).map_err(Failure::input)?;
        let goldens = golden::store::read(golden).map_err(Failure::input)?;
        let mut desk =
            Self { held, goldens, plans: HashMap::new(), images: images.to_path_buf(), paths: paths.clone() };
        desk.read_scenarios()?;
        Ok(desk)
    }

    /// Reads the scenarios anew.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn read_scenarios(&mut self) -> Result<(), Failure> {
        let mut plans = HashMap::new();
        if !self.held.pending.entries.is_empty() {
            let selection = Selection::read(&SelectArgs::of(self.paths.paths.clone(), Vec::new()), &self.images)?;
            for (host, facts) in self.held.pending.hosts.iter().enumerate() {
                let plan = selection.plan(facts)?;
                let cases = plan.groups.into_iter().flat_map(|group| group.cases);
                plans.extend(cases.map(|case| ((host, case.id.clone()), case)));
            }
        }
        self.plans = plans;
        Ok(())
    }

    /// The scenario files and folders.
    pub(super) fn paths(&self) -> &[std::path::PathBuf] {
        &self.paths.paths
    }

    /// The scenario file of an entry's golden.
    pub(super) fn file_of(&self, entry: &Entry) -> Option<String> {
        let plan = self.plan(entry)?;
        let place = plan.steps.iter().flat_map(|step| &step.expect).map(|expect| &expect.place).next()?;
        Some(place.file.clone())
    }

    /// Forgets what the goldens say by now.
    pub(super) fn forget_settled(&mut self) -> Result<(), Failure> {
        let (_, stale) = self.items()?;
        let settled: BTreeSet<Name> =
            stale.iter().filter(|stale| stale.settled).map(|stale| stale.entry.name()).collect();
        drop(stale);
        self.held.pending.forget(|entry| settled.contains(&entry.name()));
        Ok(())
    }

    /// The plan of an entry's case.
    pub(super) fn plan(&self, entry: &Entry) -> Option<&CasePlan> {
        self.plans.get(&(entry.host, entry.case.clone()))
    }

    /// What there is to decide on, and what is stale.
    pub(super) fn items(&self) -> Result<(Vec<Item<'_>>, Vec<Stale<'_>>), Failure> {
        present(&self.held.pending, &self.goldens, |entry| self.plan(entry)).map_err(Failure::input)
    }

    /// Changes the goldens; what was written.
    ///
    /// # Errors
    /// Texts that contradict each other, or a folder that can't be written; then nothing is changed.
    pub(super) fn record(&self, accepted: &[Decided<'_>], golden: &Path) -> Result<Vec<FolderUpdate>, Failure> {
        let accepted: Vec<Accepted<'_>> = accepted
            .iter()
            .filter_map(|(item, reason)| Some(Accepted { item, facts: self.held.pending.facts(item.entry)?, reason }))
            .collect();
        let updates = decide(&self.goldens, &accepted).map_err(Failure::input)?;
        apply(golden, &updates).map_err(Failure::input)?;
        Ok(updates)
    }
}
