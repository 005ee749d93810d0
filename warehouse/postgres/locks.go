package postgres

// The classes of advisory locks: the first of the two keys of pg_advisory_lock, the second being an id. A lock of a
// session needs no expiry and no clock: the server frees it when the session ends, so a run that is killed frees its
// tasks with its socket. The view ledger.held knows the numbers too.
const (
	migrationLocks = 17227 // id 0
	runLocks       = 17228 // the run's id
	taskLocks      = 17229 // the task's id
)
