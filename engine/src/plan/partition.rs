//! The shares of a plan, for several runs that do it together: `--partition slice:1/3`. Pure.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::digest::{digest, sha256};
use super::model::{BootGroup, LeftOut, RunPlan, WhyOut};

/// How boots come to shares. The words are nextest's (<https://nexte.st/docs/ci-features/partitioning/>).
///
/// What is dealt is always a whole boot: cases that share one are nearly as quick together as one of them alone, and would
/// each need a boot of their own in another share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// By place in the plan, one after the other: shares have equally many boots, and one more case may move the others.
    Slice,
    /// By what the boot is: the container and how it boots; the case's name where a case has a boot to itself. Both are the
    /// case's own, so its share depends on no other case, and cases that share a boot are in one share all the same.
    Hash,
}

/// One share of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// How boots are dealt.
    pub how: How,
    /// Which share, from 1.
    pub share: u32,
    /// Of how many, from 1.
    pub of: u32,
}

/// What begins the reason of a case that another share has.
const REASON: &str = "--partition ";

impl std::fmt::Display for Partition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let how = match self.how {
            How::Slice => "slice",
            How::Hash => "hash",
        };
        write!(f, "{how}:{}/{}", self.share, self.of)
    }
}

impl FromStr for Partition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const HELP: &str = "write slice:1/3 or hash:1/3: the first of three shares";
        let (how, numbers) = text.split_once(':').ok_or_else(|| format!("it names no way to deal; {HELP}"))?;
        let how = match how {
            "slice" => How::Slice,
            "hash" => How::Hash,
            "count" => return Err(format!("`count` is `slice` here; {HELP}")),
            other => return Err(format!("there is no way to deal `{other}`: slice, hash; {HELP}")),
        };
        let (share, of) = numbers.split_once('/').ok_or_else(|| format!("it does not say of how many; {HELP}"))?;
        let number = |text: &str| text.parse::<u32>().map_err(|_| format!("`{text}` is no number of shares; {HELP}"));
        let (share, of) = (number(share)?, number(of)?);
        match (share, of) {
            (_, 0) => Err(format!("there is no share of none; {HELP}")),
            (0, _) => Err(format!("shares are counted from 1: {of} has 1 to {of}, and no 0")),
            (share, of) if share > of => Err(format!("there is no share {share} of {of}: they are 1 to {of}")),
            (share, of) => Ok(Self { how, share, of }),
        }
    }
}

impl Partition {
    /// Which share a boot belongs to, from 1.
    fn of(self, place: usize, group: &BootGroup) -> u32 {
        let number = match self.how {
            How::Slice => place as u64,
            How::Hash => identity(group),
        };
        u32::try_from(number % u64::from(self.of)).map_or(1, |share| share + 1)
    }

    fn reason(self, share: u32) -> String {
        format!("{REASON}{self}: it is in share {share}")
    }
}

/// Whether a case was left out because another share has it, by the reason of its `filtered`.
#[must_use]
pub fn is_of_another_share(reason: &str) -> bool {
    reason.starts_with(REASON)
}

/// A number for what a boot is, the same on every machine and in every run.
fn identity(group: &BootGroup) -> u64 {
    let Some(first) = group.cases.first() else { return 0 };
    let text = if first.solo {
        first.id.0.clone()
    } else {
        // All of it can be said in JSON: texts, numbers, and maps with texts as keys.
        serde_json::to_string(&(&first.container, &first.boot)).unwrap_or_default()
    };
    let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(Sha256::digest(text));
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Which share of which plan a run is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Which share.
    #[serde(flatten)]
    pub partition: Partition,
    /// How many cases all shares have together.
    pub whole: usize,
    /// A SHA-256 of these cases, each as it is rendered: shares of one run have the same.
    pub digest: String,
}

impl RunPlan {
    /// Leaves out what other shares have. Shares depend on the scenarios, filters and facts alone, never on what turns out when
    /// a run starts, so it comes before anything else is left out.
    pub(super) fn deal(&mut self, partition: Partition) {
        let mut cases: Vec<String> = self.groups.iter().flat_map(|group| &group.cases).map(digest).collect();
        cases.sort();
        let whole = cases.len();
        self.share = Some(Share { partition, whole, digest: sha256(&cases.join("\n")) });
        let groups = std::mem::take(&mut self.groups);
        for (place, group) in groups.into_iter().enumerate() {
            let share = partition.of(place, &group);
            if share == partition.share {
                self.groups.push(group);
                continue;
            }
            let why = WhyOut::Filtered(partition.reason(share));
            self.left_out.extend(group.cases.into_iter().map(|case| LeftOut {
                id: case.id,
                scenario: case.scenario,
                point: case.point,
                why: why.clone(),
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::testing;

    /// Cases by number: each has one of four containers, and every fifth a boot to itself.
    fn plan(numbers: &BTreeSet<u8>) -> RunPlan {
        let cases = numbers.iter().map(|n| {
            let mut case = testing::case(&format!("s[n={n}]"));
            case.container.hostname = Some(format!("h{}", n % 4));
            case.solo = n % 5 == 0;
            case
        });
        RunPlan { groups: super::super::run::group(cases.collect()), ..RunPlan::default() }
    }

    /// The cases of each share.
    fn shares(numbers: &BTreeSet<u8>, how: How, of: u32) -> Vec<BTreeSet<String>> {
        let share = |share| {
            let mut plan = plan(numbers);
            plan.deal(Partition { how, share, of });
            assert_eq!(plan.share.as_ref().map(|share| share.whole), Some(numbers.len()));
            let others = plan.left_out.iter();
            assert!(others.clone().all(
                |out| matches!(&out.why, WhyOut::Filtered(why) if is_of_another_share(why) && why.contains("in share"))
            ));
            assert_eq!(plan.cases() + others.count(), numbers.len());
            plan.groups.iter().flat_map(|group| &group.cases).map(|case| case.id.0.clone()).collect()
        };
        (1..=of).map(share).collect()
    }

    fn hows() -> impl Strategy<Value = How> {
        prop_oneof![Just(How::Slice), Just(How::Hash)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn shares_are_disjoint_and_complete(
            numbers in prop::collection::btree_set(any::<u8>(), 0..30), how in hows(), of in 1u32..6,
        ) {
            let all: Vec<String> = shares(&numbers, how, of).into_iter().flatten().collect();
            let names: BTreeSet<String> = numbers.iter().map(|n| format!("s[n={n}]")).collect();
            prop_assert_eq!(all.len(), numbers.len(), "a case is in two shares");
            prop_assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), names);
        }

        #[test]
        fn with_hash_another_case_moves_none(
            numbers in prop::collection::btree_set(any::<u8>(), 1..20), more in prop::collection::btree_set(any::<u8>(), 1..20),
            of in 1u32..6,
        ) {
            let place = |numbers: &BTreeSet<u8>| -> BTreeMap<String, usize> {
                let shares = shares(numbers, How::Hash, of).into_iter().enumerate();
                shares.flat_map(|(at, names)| names.into_iter().map(move |name| (name, at))).collect()
            };
            let (before, after) = (place(&numbers), place(&(&numbers | &more)));
            for (name, share) in before {
                prop_assert_eq!(after[&name], share, "{}", name);
            }
        }

        #[test]
        fn cases_that_share_a_boot_stay_together(
            numbers in prop::collection::btree_set(any::<u8>(), 1..20), how in hows(), of in 1u32..6,
        ) {
            let boots = plan(&numbers).groups.len();
            let of_share = |share| {
                let mut plan = plan(&numbers);
                plan.deal(Partition { how, share, of });
                plan.groups.len()
            };
            prop_assert_eq!((1..=of).map(of_share).sum::<usize>(), boots);
        }

        #[test]
        fn a_partition_reads_as_it_is_written(how in hows(), of in 1u32..100, share in 1u32..100) {
            let partition = Partition { how, share: share.min(of), of };
            prop_assert_eq!(partition.to_string().parse(), Ok(partition));
        }
    }

    #[test]
    fn slices_are_equally_many_boots() {
        let numbers: BTreeSet<u8> = (0..50).filter(|n| n % 5 == 0).collect();
        let sizes: Vec<usize> = shares(&numbers, How::Slice, 3).iter().map(BTreeSet::len).collect();
        assert_eq!(sizes, [4, 3, 3]);
    }

    /// These numbers are a promise: a new version that deals otherwise breaks runs that are under way.
    #[test]
    fn a_hash_is_the_same_everywhere() {
        let numbers: BTreeSet<u8> = (0..=10).filter(|n| n % 5 == 0).collect();
        let shares = shares(&numbers, How::Hash, 2);
        let names = |share: &BTreeSet<String>| share.iter().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!(shares.iter().map(names).collect::<Vec<_>>(), ["s[n=5]", "s[n=0] s[n=10]"]);
    }

    #[test]
    fn the_digest_is_of_what_the_cases_are() {
        let digest = |change: fn(&mut RunPlan), partition: &str| {
            let mut plan = plan(&[1, 2, 3].into());
            change(&mut plan);
            plan.deal(partition.parse().unwrap());
            plan.share.unwrap().digest
        };
        let same = digest(|_| {}, "slice:1/3");
        assert_eq!(digest(|_| {}, "slice:3/3"), same);
        assert_ne!(digest(|plan| drop(plan.groups.pop()), "slice:1/3"), same);
        assert_ne!(digest(|plan| plan.groups[0].cases[0].title.push('?'), "slice:1/3"), same);
    }

    #[test]
    fn what_is_no_share_is_told_with_help() {
        let error = |text: &str| text.parse::<Partition>().unwrap_err();
        assert_eq!(error("slice:0/3"), "shares are counted from 1: 3 has 1 to 3, and no 0");
        assert_eq!(error("hash:4/3"), "there is no share 4 of 3: they are 1 to 3");
        assert!(error("hash:1/0").starts_with("there is no share of none; write slice:1/3"));
        assert!(error("hush:1/2").starts_with("there is no way to deal `hush`: slice, hash"));
        assert!(error("count:1/2").starts_with("`count` is `slice` here"));
        assert!(error("slice:1").starts_with("it does not say of how many"));
        assert!(error("slice:one/3").starts_with("`one` is no number of shares"));
        assert!(error("slice:-1/3").starts_with("`-1` is no number"));
        assert!(error("1/3").starts_with("it names no way to deal; write"));
    }
}
