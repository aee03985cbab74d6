use std::collections::{HashSet, VecDeque};

use super::document::Party;

/// How many remote owners of one webview are known at a time.
pub(crate) const LIMIT: usize = 64;

/// The number of a webview's local documents.
pub(crate) const LOCAL: u32 = 0;

/// The remote owners of one webview, each with a number, which is never given to another one. A page can make them grow
/// by going to other documents, so there is a limit.
#[derive(Debug, Default)]
pub(super) struct Origins {
    /// Those that were in use last come last.
    known: VecDeque<(Member, u32)>,
    given: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    party: Party,
    /// Tells documents apart that are [`Alone`](Party::Alone); 0 for all others.
    load: u64,
}

/// There is no room for another owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

impl Origins {
    /// Returns the number of `party` in the document that was loaded as number `load`. If there is no room, the owner that
    /// has not called for the longest time makes room, unless its number is `in_use`.
    pub(super) fn number(&mut self, party: &Party, load: u64, in_use: Option<&HashSet<u32>>) -> Result<u32, Full> {
        if *party == Party::Local {
            return Ok(LOCAL);
        }
        let member = Member { party: party.clone(), load: if *party == Party::Alone { load } else { 0 } };
        if let Some(place) = self.known.iter().position(|(known, _)| *known == member) {
            let known = self.known.remove(place).ok_or(Full)?;
            let number = known.1;
            self.known.push_back(known);
            return Ok(number);
        }
        if self.known.len() == LIMIT {
            let in_use = in_use.ok_or(Full)?;
            let unused = self.known.iter().position(|(_, number)| !in_use.contains(number)).ok_or(Full)?;
            self.known.remove(unused);
        }
        self.given = self.given.checked_add(1).ok_or(Full)?;
        self.known.push_back((member, self.given));
        Ok(self.given)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tauri::Url;

    use super::{super::origin::Origin, *};

    fn site(number: usize) -> Party {
        let url = Url::parse(&format!("https://site-{number}.example")).unwrap();
        Party::Remote(Origin::of(&url).unwrap())
    }

    #[test]
    fn an_origin_keeps_its_number_and_a_document_without_one_has_a_new_one_in_each_load() {
        let mut origins = Origins::default();
        assert_eq!(origins.number(&Party::Local, 1, None), Ok(LOCAL));
        let first = origins.number(&site(1), 1, None).unwrap();
        let alone = origins.number(&Party::Alone, 2, None).unwrap();
        assert_eq!(origins.number(&Party::Alone, 2, None), Ok(alone));
        let next = origins.number(&Party::Alone, 3, None).unwrap();
        assert_eq!(origins.number(&site(1), 4, None), Ok(first));
        assert_eq!([LOCAL, first, alone, next].into_iter().collect::<HashSet<_>>().len(), 4);
    }

    #[test]
    fn beyond_the_limit_the_oldest_unused_one_goes_and_if_all_are_used_the_new_one_is_refused() {
        let mut origins = Origins::default();
        let numbers: Vec<_> = (0..LIMIT).map(|at| origins.number(&site(at), 1, None).unwrap()).collect();
        assert_eq!(origins.number(&site(LIMIT), 1, None), Err(Full));
        let all: HashSet<_> = numbers.iter().copied().collect();
        assert_eq!(origins.number(&site(LIMIT), 1, Some(&all)), Err(Full));
        assert_eq!(origins.number(&site(0), 1, None), Ok(numbers[0]), "it has called again");
        let used = HashSet::from([numbers[1]]);
        let new = origins.number(&site(LIMIT), 1, Some(&used)).unwrap();
        assert!(!all.contains(&new));
        assert_eq!(origins.number(&site(0), 1, None), Ok(numbers[0]));
        assert_eq!(origins.number(&site(1), 1, None), Ok(numbers[1]));
        assert_eq!(origins.number(&site(2), 1, None), Err(Full), "it has gone");
    }

    proptest! {
        /// Whoever comes and goes, no two owners ever have the same number, and one in use keeps its own.
        #[test]
        fn no_two_owners_have_the_same_number(
            calls in proptest::collection::vec((0..2 * LIMIT, any::<bool>(), any::<bool>()), 0..400),
        ) {
            let (mut origins, mut owners) = (Origins::default(), std::collections::HashMap::new());
            let (mut in_use, mut load) = (HashSet::new(), 0);
            for (at, is_alone, keeps) in calls {
                load += 1;
                let party = if is_alone { Party::Alone } else { site(at) };
                let key = if is_alone { format!("load {load}") } else { format!("site {at}") };
                let Ok(number) = origins.number(&party, load, Some(&in_use)) else {
                    prop_assert!(in_use.len() >= LIMIT);
                    continue;
                };
                let owner = owners.entry(number).or_insert_with(|| key.clone());
                prop_assert_eq!(&*owner, &key);
                if let Some(before) = in_use.iter().find(|used| owners[used] == key) {
                    prop_assert_eq!(*before, number);
                }
                if keeps {
                    in_use.insert(number);
                }
                prop_assert!(origins.known.len() <= LIMIT);
            }
        }
    }
}
