// Package job is the queue of slow work: what a transaction promises (a mail to send)
// stands in the queue when that transaction is written, and not otherwise.
//
// Below it is River, on both engines. A job's arguments hold ids only, because the
// queue keeps finished rows; what is secret stands sealed in the row that the id names.
// A job may run twice (a node that died in the middle), so work is idempotent.
package job

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"keyturn/internal/db"
)

// Lane is one of the queues. Each has its own workers, so that a thousand reminders
// never stand before one code.
type Lane string

// The lanes.
const (
	Codes   Lane = "codes"
	Notices Lane = "notices"
	Bulk    Lane = "bulk"
	// Hooks is for calls to programs that others run, which may hang as long as they like.
	Hooks Lane = "hooks"
)

const (
	// runFor is how long one job may run; a job that is still marked as running after
	// rescueAfter belonged to a node that died, and is run again.
	runFor      = 15 * time.Second
	rescueAfter = 20 * time.Second
	// keepFinished bounds the queue's own tables.
	keepFinished = time.Hour
	// fetchCooldown bounds how often a lane asks for work: a lane's throughput is its
	// workers divided by it.
	fetchCooldown = 5 * time.Millisecond
)

// Args is a job: a stable kind of two or more characters, and ids.
type Args = river.JobArgs

// Work is what is to be done for each kind of job.
type Work struct {
	workers  *river.Workers
	periodic []*river.PeriodicJob
}

// NewWork starts an empty list of work.
func NewWork() *Work { return &Work{workers: river.NewWorkers()} }

// On has do run for every job of kind T. An error has the job run again, sooner at
// first than later.
func On[T Args](w *Work, do func(ctx context.Context, args T) error) {
	river.AddWorker(w.workers, river.WorkFunc(func(ctx context.Context, j *river.Job[T]) error {
		return do(ctx, j.Args)
	}))
}

// Every has a job of the bulk lane put in each interval, by one node only.
func (w *Work) Every(interval time.Duration, args func() Args) {
	w.periodic = append(w.periodic, river.NewPeriodicJob(
		river.PeriodicInterval(interval),
		func() (river.JobArgs, *river.InsertOpts) {
			return args(), &river.InsertOpts{Queue: string(Bulk), MaxAttempts: 1}
		},
		&river.PeriodicJobOpts{RunOnStart: true},
	))
}

// Queue puts jobs in and, once started, works on them.
type Queue struct {
	db     *db.DB
	client *river.Client[*sql.Tx]
	node   string
}

// New prepares the queue of a database. With no work it only puts jobs in, for
// commands that leave the doing to the server.
//
// node names this process among all that share the database, and is the same after a
// restart: what was left half done under the name is taken up at once. Without a name
// it is taken up when its time is over.
func New(d *db.DB, work *Work, node string, log *slog.Logger) (*Queue, error) {
	cfg := &river.Config{
		ID:                          node,
		Logger:                      quiet(log),
		CompletedJobRetentionPeriod: keepFinished,
		CancelledJobRetentionPeriod: keepFinished,
		DiscardedJobRetentionPeriod: 24 * time.Hour,
		JobTimeout:                  runFor,
		RescueStuckJobsAfter:        rescueAfter,
		FetchCooldown:               fetchCooldown,
		FetchPollInterval:           time.Second,
		RetryPolicy:                 soon{},
		ErrorHandler:                teller{log},
	}
	if work != nil {
		cfg.Workers = work.workers
		cfg.PeriodicJobs = work.periodic
		cfg.Queues = map[string]river.QueueConfig{
			string(Codes):   {MaxWorkers: 16},
			string(Notices): {MaxWorkers: 4},
			string(Bulk):    {MaxWorkers: 2},
			string(Hooks):   {MaxWorkers: 16},
		}
	}
	client, err := river.NewClient(d.JobDriver(), cfg)
	if err != nil {
		return nil, fmt.Errorf("prepare the job queue: %w", err)
	}
	return &Queue{db: d, client: client, node: node}, nil
}

// Put stores a job in the caller's transaction: it is worked on when that is written.
func (q *Queue) Put(ctx context.Context, tx *db.Tx, lane Lane, args Args) error {
	_, err := q.client.InsertTx(ctx, tx.SQL(), args, &river.InsertOpts{Queue: string(lane), MaxAttempts: 20})
	if err != nil {
		return fmt.Errorf("put a %s job: %w", args.Kind(), err)
	}
	return nil
}

// Start begins to work; Stop ends it.
func (q *Queue) Start(ctx context.Context) error {
	if err := q.takeUp(ctx); err != nil {
		return fmt.Errorf("take up what was left half done: %w", err)
	}
	if err := q.client.Start(ctx); err != nil {
		return fmt.Errorf("start the job queue: %w", err)
	}
	return nil
}

// takeUp makes the jobs available again that this node was working on when it ended
// without a word. Those of another node are left to the queue's own rescue.
func (q *Queue) takeUp(ctx context.Context) error {
	if q.node == "" {
		return nil
	}
	const most = 1000
	running, err := q.client.JobList(ctx, river.NewJobListParams().States(rivertype.JobStateRunning).First(most))
	if err != nil {
		return fmt.Errorf("list running jobs: %w", err)
	}
	return q.db.Do(ctx, func(tx *db.Tx) error {
		for _, j := range running.Jobs {
			if len(j.AttemptedBy) == 0 || j.AttemptedBy[len(j.AttemptedBy)-1] != q.node {
				continue
			}
			if err := release(ctx, tx, j.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// Stop lets running jobs finish until ctx ends, then cuts them short: they are run
// again elsewhere.
func (q *Queue) Stop(ctx context.Context) error {
	if err := q.client.Stop(ctx); err == nil {
		return nil
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := q.client.StopAndCancel(last); err != nil {
		return fmt.Errorf("stop the job queue: %w", err)
	}
	return nil
}

// soon runs a failed job again after 1, 2, 4 … at most 60 seconds: whoever waits for a
// code waits ten minutes at most.
type soon struct{}

// NextRetry implements river.ClientRetryPolicy. It counts by the queue's clock, which
// is the database's, not by ours, which tests and the demo may move.
func (soon) NextRetry(j *rivertype.JobRow) time.Time {
	wait := time.Second << min(len(j.Errors), 6)
	return j.AttemptedAt.Add(min(wait, time.Minute))
}

// teller logs what went wrong in a job, once.
type teller struct{ log *slog.Logger }

// HandleError implements river.ErrorHandler.
func (t teller) HandleError(ctx context.Context, j *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	t.log.WarnContext(ctx, "job will run again", "job", j.Kind, "try", j.Attempt, "error", err.Error())
	return nil
}

// HandlePanic implements river.ErrorHandler.
func (t teller) HandlePanic(ctx context.Context, j *rivertype.JobRow, said any, trace string) *river.ErrorHandlerResult {
	t.log.ErrorContext(ctx, "job panicked", "job", j.Kind, "try", j.Attempt, "panic", fmt.Sprint(said), "trace", trace)
	return nil
}

// quiet keeps River's own chatter below warnings out of the log.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(atLeast{log.Handler(), slog.LevelWarn}) }

type atLeast struct {
	slog.Handler
	least slog.Level
}

// Enabled implements slog.Handler.
func (h atLeast) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.least && h.Handler.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (h atLeast) WithAttrs(attrs []slog.Attr) slog.Handler {
	return atLeast{h.Handler.WithAttrs(attrs), h.least}
}

// WithGroup implements slog.Handler.
func (h atLeast) WithGroup(name string) slog.Handler {
	return atLeast{h.Handler.WithGroup(name), h.least}
}
