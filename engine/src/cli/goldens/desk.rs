//! What is set aside, laid out with today's scenarios and goldens.

use std::collections::{BTreeSet, HashMap};

use super::super::Setting;
use super::super::args::{PathArgs, SelectArgs};
use super::super::exit::Failure;
use super::super::load::Selection;
use crate::facts::Facts;
use crate::golden::{self, FolderUpdate, GoldenStore, store::apply};
use crate::pending::store::{Held, hold};
use crate::pending::{Accepted, Entry, Item, Name, Stale, decide, present};
use crate::plan::{CaseId, CasePlan};

/// Everything that a decision needs.
pub(super) struct Desk<'a> {
    pub(super) setting: Setting<'a>,
    pub(super) held: Held,
    /// The scenario files and folders.
    pub(super) paths: &'a PathArgs,
    goldens: GoldenStore,
    /// The cases by host.
    plans: Vec<(Facts, HashMap<CaseId, CasePlan>)>,
}

/// A decision for one text: the text, and why it is to be recorded.
pub(super) type Decided<'a> = (&'a Item<'a>, &'a str);

impl<'a> Desk<'a> {
    /// Lays out what is set aside.
    ///
    /// # Errors
    /// A scenario, golden or file of what is set aside that can't be used.
    pub(super) fn lay(setting: Setting<'a>, paths: &'a PathArgs) -> Result<Self, Failure> {
        let held = hold(setting.aside).map_err(Failure::input)?;
        let goldens = golden::store::read(setting.golden).map_err(Failure::input)?;
        let mut desk = Self { setting, held, paths, goldens, plans: Vec::new() };
        desk.read_scenarios()?;
        Ok(desk)
    }

    /// Reads the scenarios anew.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn read_scenarios(&mut self) -> Result<(), Failure> {
        let mut plans = Vec::new();
        if !self.held.pending.entries.is_empty() {
            let all = SelectArgs::of(self.paths, Vec::new());
            let selection = Selection::read(&all, self.setting.images)?;
            for facts in &self.held.pending.hosts {
                let cases = selection.plan(facts)?.groups.into_iter().flat_map(|group| group.cases);
                plans.push((facts.clone(), cases.map(|case| (case.id.clone(), case)).collect()));
            }
        }
        self.plans = plans;
        Ok(())
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
        self.held.pending.forget(|entry| settled.contains(&entry.name()));
        Ok(())
    }

    /// The plan of an entry's case.
    pub(super) fn plan(&self, entry: &Entry) -> Option<&CasePlan> {
        let facts = self.held.pending.facts(entry)?;
        let (_, cases) = self.plans.iter().find(|(host, _)| host == facts)?;
        cases.get(&entry.case)
    }

    /// What there is to decide on, and what is stale.
    pub(super) fn items(&self) -> Result<(Vec<Item<'_>>, Vec<Stale<'_>>), Failure> {
        present(&self.held.pending, &self.goldens, |entry| self.plan(entry)).map_err(Failure::input)
    }

    /// Changes the goldens; what was written.
    ///
    /// # Errors
    /// Texts that contradict each other, or a folder that can't be written; then nothing is changed.
    pub(super) fn record(&self, accepted: &[Decided<'_>]) -> Result<Vec<FolderUpdate>, Failure> {
        let pending = &self.held.pending;
        let reasons = accepted.iter().map(|(_, reason)| *reason);
        let hosts = pending.hosts.iter().map(|facts| facts.name.as_str());
        let redactor = self.setting.redaction.of_hosts(hosts).redactor(&[], reasons);
        let accepted: Vec<Accepted<'_>> = accepted
            .iter()
            .filter_map(|(item, reason)| Some(Accepted { item, facts: pending.facts(item.entry)?, reason }))
            .collect();
        let updates = decide(&self.goldens, &accepted, &redactor).map_err(Failure::input)?;
        apply(self.setting.golden, &updates).map_err(Failure::input)?;
        Ok(updates)
    }
}
