//! The mutations.

use super::mutation::{
    How::{Expression, Rebuild, Statement},
    Mutation,
};

const MODEL: &str = "test(/^tests::model::/)";
const LENDING: &str = "test(/^tests::lending::/)";
const BATCH: &str = "test(/^tests::(batch|model)::/)";
const LOG: &str = "test(/^tests::log::/)";
const LOOKING: &str = "test(/^tests::looking::/)";
const SECRET: &str = "test(/^tests::secret_input::/)";

pub const MUTATIONS: &[Mutation] = &[
    Mutation {
        name: "a lost slot",
        file: "crates/engine/src/record/steps.rs",
        find: "admission.leave(self.id);",
        from: "admission.leave(self.id);",
        to: "if state.life.status() != TaskStatus::Failed { admission.leave(self.id); }",
        how: Statement,
        seen_by: MODEL,
    },
    Mutation {
        name: "a second end",
        file: "crates/engine/src/task/life.rs",
        find: "if self.status.is_final() {\n            return Err(self.status);",
        from: "self.status.is_final()",
        to: "self.status == TaskStatus::Failed",
        how: Expression,
        seen_by: MODEL,
    },
    Mutation {
        name: "a status after the end",
        file: "crates/engine/src/task/life.rs",
        find: "self.overdue = false;\n        self.become_(status, at);",
        from: "self.become_(status, at);",
        to: "self.become_(status, at); self.record(at);",
        how: Statement,
        seen_by: MODEL,
    },
    Mutation {
        name: "a queue that forgets tasks that come back",
        file: "crates/engine/src/queue/admission.rs",
        find: "(entry.stage == Stage::Away).then_some(TaskEntry { stage: Stage::Waiting, ..entry })",
        from: "(entry.stage == Stage::Away).then_some(TaskEntry { stage: Stage::Waiting, ..entry })",
        to: "(entry.stage == Stage::Away).then_some(entry)",
        how: Expression,
        seen_by: MODEL,
    },
    Mutation {
        name: "a retry that keeps its slot",
        file: "crates/engine/src/record/steps.rs",
        find: "self.common.admission.lock().step_back(self.id);",
        from: "self.common.admission.lock().step_back(self.id);",
        to: "self.common.admission.lock().waits(self.id);",
        how: Statement,
        seen_by: MODEL,
    },
    Mutation {
        name: "a limit that counts one too many",
        file: "crates/engine/src/queue/admission.rs",
        find: "self.limit.is_none_or(|limit| self.running < limit)",
        from: "self.limit.is_none_or(|limit| self.running < limit)",
        to: "self.limit.is_none_or(|limit| self.running <= limit)",
        how: Expression,
        seen_by: MODEL,
    },
    Mutation {
        name: "a key that is never handed on",
        file: "crates/engine/src/run/transitions.rs",
        find: "admission.release(next, Hold::Key);",
        from: "admission.release(next, Hold::Key);",
        to: "admission.waits(next);",
        how: Statement,
        seen_by: MODEL,
    },
    Mutation {
        name: "a hold that does not hold",
        file: "crates/engine/src/run/waiting.rs",
        find: "admission.hold(record.id, Hold::User)",
        from: "admission.hold(record.id, Hold::User)",
        to: "admission.waits(record.id)",
        how: Expression,
        seen_by: MODEL,
    },
    Mutation {
        name: "a cancelled task that stays in the queue",
        file: "crates/engine/src/record/steps.rs",
        find: "if now.is_final() {\n            self.close(state, effects);",
        from: "self.close(state, effects);",
        to: "effects.end(std::mem::replace(&mut state.live, Live::none()));",
        how: Statement,
        seen_by: MODEL,
    },
    Mutation {
        name: "an overdue task that is never marked as such",
        file: "crates/engine/src/run/grace.rs",
        find: "if seen.record.outstay() {",
        from: "seen.record.outstay()",
        to: "false",
        how: Expression,
        seen_by: MODEL,
    },
    Mutation {
        name: "a line of the log that a name can break",
        file: "crates/engine/src/logged.rs",
        find: "self.add(escaped.escape_debug())?;",
        from: "self.add(escaped.escape_debug())?;",
        to: "self.add(escaped.chars())?;",
        how: Statement,
        seen_by: LOG,
    },
    Mutation {
        name: "an error that shows a secret input",
        file: "crates/engine/src/kind/mod.rs",
        find: "if self.policy.secret_input { error.without_input() } else { error }",
        from: "self.policy.secret_input",
        to: "false",
        how: Expression,
        seen_by: SECRET,
    },
    Mutation {
        name: "a snapshot that shows a secret input",
        file: "crates/engine/src/policy/mod.rs",
        find: "self.show_input && !self.secret_input",
        from: "!self.secret_input",
        to: "true",
        how: Expression,
        seen_by: SECRET,
    },
    Mutation {
        name: "a stall that nobody notices",
        file: "crates/engine/src/run/clocks.rs",
        find: "if is_heard() { Duration::ZERO } else { silent + step }",
        from: "if is_heard() { Duration::ZERO } else { silent + step }",
        to: "if is_heard() { silent + step } else { Duration::ZERO }",
        how: Expression,
        seen_by: MODEL,
    },
    Mutation {
        name: "a time limit that replaces the reason of a cancel",
        file: "crates/engine/src/task/life.rs",
        find: "if self.status == TaskStatus::Cancelling {\n            return Ok(());",
        from: "return Ok(());",
        to: "self.stop = Some(Box::new(why)); return Ok(());",
        how: Statement,
        seen_by: MODEL,
    },
    Mutation {
        name: "an end that comes before the newest progress",
        file: "crates/engine/src/record/cursor.rs",
        find: "Some((_, status)) if !(status.is_final() && progress_due) => {",
        from: "!(status.is_final() && progress_due)",
        to: "true",
        how: Expression,
        seen_by: BATCH,
    },
    Mutation {
        name: "a batch that its members outlive",
        file: "crates/engine/src/record/steps.rs",
        find: "self.state.lock().batch = Some(Membership { _token: token, lenders });",
        from: "self.state.lock().batch = Some(Membership { _token: token, lenders });",
        to: "drop((token, lenders));",
        how: Statement,
        seen_by: BATCH,
    },
    Mutation {
        name: "a handler that keeps its slot while it awaits a task that needs it",
        file: "crates/engine/src/record/steps.rs",
        find: "self.common.admission.lock().yield_slot(self.id, attempt);",
        from: "self.common.admission.lock().yield_slot(self.id, attempt);",
        to: "self.common.admission.lock().waits(self.id);",
        how: Statement,
        seen_by: LENDING,
    },
    Mutation {
        name: "a handler that goes on without its slot",
        file: "crates/engine/src/task/lending.rs",
        find: "self.slots == Slots::Held || is_stopped",
        from: "self.slots == Slots::Held || is_stopped",
        to: "true",
        how: Expression,
        seen_by: LENDING,
    },
    Mutation {
        name: "a handler that gets its slot back behind later tasks",
        file: "crates/engine/src/record/steps.rs",
        find: "admission.reclaim_slot(lender);",
        from: "admission.reclaim_slot(lender);",
        to: "admission.waits(lender);",
        how: Statement,
        seen_by: LENDING,
    },
    Mutation {
        name: "a priority that counts only among tasks of the same age",
        file: "crates/engine/src/queue/admission.rs",
        find: "    priority: Reverse<i32>,\n    arrival: u64,\n",
        from: "    priority: Reverse<i32>,\n    arrival: u64,\n",
        to: "    arrival: u64,\n    priority: Reverse<i32>,\n",
        how: Rebuild,
        seen_by: MODEL,
    },
    Mutation {
        name: "a filter that is looked at before the caller's rights",
        file: "crates/engine/src/record/mod.rs",
        find: "may_see() && filter.matches(&self.filtered(status()))",
        from: "may_see() && filter.matches(&self.filtered(status()))",
        to: "filter.matches(&self.filtered(status())) && may_see()",
        how: Expression,
        seen_by: LOOKING,
    },
];

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, fs};

    use super::*;
    use crate::command::root;

    #[test]
    fn every_mutation_applies() {
        for mutation in MUTATIONS {
            let original = fs::read_to_string(root().join(mutation.file)).unwrap();
            assert_ne!(mutation.apply(0, &original).unwrap(), original, "{}", mutation.name);
        }
        let names: HashSet<_> = MUTATIONS.iter().map(|mutation| mutation.name).collect();
        assert_eq!(names.len(), MUTATIONS.len());
    }
}
