// The list of all commands, for the handler, the bindings and (in build.rs) the permissions. `all_commands!(name)`
// calls the macro `name` with them. This is not a doc comment, since build.rs includes this file too.

macro_rules! all_commands {
    ($with:ident) => {
        $with! {
            open,
            ack,
            start,
            rerun,
            batch,
            leave,
            cancel,
            cancel_all,
            pause,
            resume,
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
