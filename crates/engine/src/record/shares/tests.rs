use super::*;
use OnOwnerClosed::{Cancel, GoOn};

fn owner(label: &str) -> Owner {
    Owner::Other { label: label.into(), token: 0 }
}

fn add(shares: &mut Shares, label: &str, may_start: bool) -> TaskId {
    let call = TaskId::new();
    shares.add(Joiner { holder: &owner(label), call, may_start }).unwrap();
    call
}

fn close(shares: &mut Shares, label: &str, policy: OnOwnerClosed) -> Departure {
    shares.depart(|who| who.label() == Some(label), Gone::Closed, policy)
}

#[test]
fn a_share_that_is_given_back_twice_or_by_somebody_else_changes_nothing() {
    let mut shares = Shares::new(owner("a"));
    let call = add(&mut shares, "b", true);
    assert_eq!(shares.give_back(&owner("a"), Some(call)), Left::Same, "it is another's");
    assert_eq!(shares.give_back(&owner("b"), None), Left::Same, "another has started it");
    assert_eq!(shares.give_back(&owner("c"), Some(call)), Left::Same);
    assert_eq!(shares.give_back(&Owner::App, None), Left::Same);
    assert_eq!(shares.give_back(&owner("b"), Some(call)), Left::Others);
    assert_eq!(shares.give_back(&owner("b"), Some(call)), Left::Same);
    assert_eq!(shares.give_back(&owner("a"), None), Left::Last);
    assert_eq!(shares.give_back(&owner("a"), None), Left::Same);
    assert!(shares.tells(&owner("a")), "it still owns the task");
    assert!(!shares.tells(&owner("b")));
}

#[test]
fn two_calls_of_one_holder_have_two_shares_and_a_repeated_call_has_one() {
    let mut shares = Shares::new(owner("a"));
    let call = TaskId::new();
    let joiner = Joiner { holder: &owner("a"), call, may_start: true };
    for _ in 0..3 {
        shares.add(joiner).unwrap();
    }
    assert_eq!(shares.calls().collect::<Vec<_>>(), [call]);
    assert_eq!(shares.give_back(&owner("a"), None), Left::Others);
    assert_eq!(shares.give_back(&owner("a"), Some(call)), Left::Last);
}

#[test]
fn the_share_of_the_app_is_never_given_back() {
    let app_joins = |shares: &mut Shares| {
        shares.add(Joiner { holder: &Owner::App, call: TaskId::new(), may_start: true }).unwrap();
    };
    for policy in [GoOn, Cancel] {
        let mut started = Shares::new(Owner::App);
        let call = add(&mut started, "a", true);
        assert_eq!(started.give_back(&owner("a"), Some(call)), Left::Others);
        add(&mut started, "a", true);
        assert!(!close(&mut started, "a", policy).cancels);
        assert_eq!(started.owner(), &Owner::App);

        let mut joined = Shares::new(owner("a"));
        app_joins(&mut joined);
        assert_eq!(joined.give_back(&owner("a"), None), Left::Others);
        assert!(!close(&mut joined, "a", policy).cancels);
        assert_eq!(joined.owner(), &Owner::App);
    }
}

#[test]
fn the_holder_of_the_oldest_share_that_may_start_the_kind_owns_it_next() {
    let mut shares = Shares::new(owner("a"));
    add(&mut shares, "b", false);
    let first_of_c = add(&mut shares, "c", true);
    add(&mut shares, "d", true);
    add(&mut shares, "c", true);
    add(&mut shares, "b", true);
    let mut other = Shares::new(owner("a"));
    for (label, may_start) in [("b", false), ("c", true), ("d", true), ("c", true), ("b", true)] {
        add(&mut other, label, may_start);
    }
    assert_eq!(close(&mut other, "a", Cancel), Departure { is_change: true, cancels: false, calls: vec![] });
    assert_eq!(other.owner(), &owner("c"));
    // Its oldest share is younger now than that of d.
    shares.give_back(&owner("c"), Some(first_of_c));
    close(&mut shares, "a", Cancel);
    assert_eq!(shares.owner(), &owner("d"));
    close(&mut shares, "c", Cancel);
    close(&mut shares, "d", Cancel);
    assert_eq!(shares.owner(), &owner("b"));
    let departure = close(&mut shares, "b", Cancel);
    assert!(departure.cancels && departure.calls.len() == 2);
    assert_eq!(shares.owner(), &Owner::App);
}

/// What the kind says × who is left when the owner has gone: nobody, one that may start the kind, one that may not, the app.
#[test]
fn what_the_kind_says_holds_once_nobody_is_left() {
    let who = [None, Some((owner("b"), true)), Some((owner("b"), false)), Some((Owner::App, true))];
    for policy in [GoOn, Cancel] {
        for left in &who {
            for owner_has_left in [false, true] {
                let mut shares = Shares::new(owner("a"));
                let call = TaskId::new();
                if let Some((holder, may_start)) = left {
                    shares.add(Joiner { holder, call, may_start: *may_start }).unwrap();
                }
                if owner_has_left && left.is_some() {
                    shares.give_back(&owner("a"), None);
                }
                let what = format!("{policy:?} {left:?} {owner_has_left}");
                let departure = close(&mut shares, "a", policy);
                assert_eq!(departure.cancels, policy == Cancel && left.is_none(), "{what}");
                let heir = left.as_ref().filter(|(_, may_start)| *may_start).map_or(Owner::App, |(who, _)| who.clone());
                assert_eq!(shares.owner(), &heir, "{what}");
                let Some((holder @ Owner::Other { .. }, may_start)) = left else { continue };
                // What goes on without an owner is a task of the app like any other.
                let is_of_app = !may_start && policy == GoOn;
                let expected = if is_of_app { Left::Others } else { Left::Last };
                assert_eq!(shares.give_back(holder, Some(call)), expected, "{what}");
            }
        }
    }
}

#[test]
fn a_task_with_one_that_may_not_start_it_ends_with_that_one_if_the_kind_says_so() {
    for (policy, cancels) in [(GoOn, false), (Cancel, true)] {
        let mut shares = Shares::new(owner("a"));
        add(&mut shares, "b", false);
        assert!(!close(&mut shares, "a", policy).cancels);
        assert_eq!(shares.owner(), &Owner::App);
        assert_eq!(close(&mut shares, "b", policy).cancels, cancels);
    }
}

#[test]
fn who_is_silent_loses_only_what_is_cancelled_without_an_owner_and_goes_on_for_others() {
    let silent = |shares: &mut Shares, policy| shares.depart(|who| who.label() == Some("a"), Gone::Silent, policy);
    let mut alone = Shares::new(owner("a"));
    assert_eq!(silent(&mut alone, GoOn), Departure::default());
    assert!(silent(&mut alone, Cancel).cancels);
    assert_eq!(alone.owner(), &owner("a"), "it may learn of the end if it comes back");
    let mut joined = Shares::new(owner("a"));
    add(&mut joined, "b", true);
    assert_eq!(silent(&mut joined, GoOn), Departure::default());
    assert_eq!(joined.owner(), &owner("a"));
    assert!(!silent(&mut joined, Cancel).cancels);
    assert_eq!(joined.owner(), &owner("b"));
    assert!(!joined.tells(&owner("a")));
}

#[test]
fn one_holder_has_a_bounded_number_of_shares_and_others_do_not_notice() {
    let mut shares = Shares::new(owner("a"));
    let mut last = None;
    for _ in 1..SHARES_LIMIT {
        last = Some(add(&mut shares, "a", true));
    }
    let more = |shares: &mut Shares, label: &str, call| {
        shares.add(Joiner { holder: &owner(label), call, may_start: true }).map_err(|refusal| refusal.to_string())
    };
    let refusal = more(&mut shares, "a", TaskId::new()).unwrap_err();
    assert!(refusal.contains("1024") && refusal.contains("sharesOfTask"), "{refusal}");
    assert_eq!(more(&mut shares, "a", last.unwrap()), Ok(false), "a repeated call");
    assert_eq!(more(&mut shares, "b", TaskId::new()), Ok(true));
    shares.give_back(&owner("a"), last);
    assert_eq!(more(&mut shares, "a", TaskId::new()), Ok(false));
}

#[test]
fn the_revisions_change_with_the_owner_and_with_who_is_told() {
    let mut shares = Shares::new(owner("a"));
    let revisions = |shares: &Shares| (shares.owner_revision(), shares.told_revision());
    let call = add(&mut shares, "a", true);
    assert_eq!(revisions(&shares), (0, 0), "it was told before");
    let second = add(&mut shares, "b", true);
    assert_eq!(revisions(&shares), (0, 1));
    shares.give_back(&owner("a"), Some(call));
    assert_eq!(revisions(&shares), (0, 1), "it has another share");
    shares.give_back(&owner("b"), Some(second));
    assert_eq!(revisions(&shares), (0, 2));
    close(&mut shares, "a", GoOn);
    assert_eq!(revisions(&shares), (1, 3));
}
