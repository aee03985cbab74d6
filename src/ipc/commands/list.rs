// All commands, once: for the handler, the bindings and, through build.rs, the permissions. `all_commands!(name)` calls the
// macro `name` with them. Not a doc comment, since build.rs reads this file as well.

macro_rules! all_commands {
    ($with:ident) => {
        $with! {
            open,
            ack,
            start,
            retry,
            batch,
            cancel,
            cancel_all,
            hold,
            release,
            set_priority,
            set_limit,
            counts,
            get,
            list,
            watch,
            unwatch,
            outcome,
            remove,
            read,
            cancel_read,
            schedules,
            trigger,
            pause_schedule,
            resume_schedule
        }
    };
}
