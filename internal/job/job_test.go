package job_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/job"
)

type greet struct {
	Name string `json:"name"`
}

func (greet) Kind() string { return "greet" }

func started(t *testing.T, d *db.DB, work *job.Work) *job.Queue {
	t.Helper()
	q, err := job.New(d, work, "node:test;", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := q.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return q
}

func TestAJobIsDoneWhenItsTransactionIsWrittenAndNotOtherwise(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		done := make(chan string, 10)
		work := job.NewWork()
		job.On(work, func(_ context.Context, g greet) error { done <- g.Name; return nil })
		q := started(t, d, work)
		ctx := t.Context()
		boom := errors.New("boom")
		err := d.Do(ctx, func(tx *db.Tx) error {
			if err := q.Put(ctx, tx, job.Codes, greet{"nobody"}); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		if err := d.Do(ctx, func(tx *db.Tx) error { return q.Put(ctx, tx, job.Codes, greet{"Pat"}) }); err != nil {
			t.Fatal(err)
		}
		if got := <-done; got != "Pat" {
			t.Errorf("greeted %q", got)
		}
	})
}

func TestAFailedJobRunsAgain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		tries := make(chan int, 10)
		n := 0
		work := job.NewWork()
		job.On(work, func(context.Context, greet) error {
			n++
			tries <- n
			if n == 1 {
				return errors.New("not yet")
			}
			return nil
		})
		q := started(t, d, work)
		ctx := t.Context()
		if err := d.Do(ctx, func(tx *db.Tx) error { return q.Put(ctx, tx, job.Notices, greet{"Kim"}) }); err != nil {
			t.Fatal(err)
		}
		if first, second := <-tries, <-tries; first != 1 || second != 2 {
			t.Errorf("ran %d, %d", first, second)
		}
	})
}

func TestWhatANodeLeftHalfDoneIsTakenUpWhenItIsBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		running, took, stuck := make(chan string, 10), make(chan string, 10), make(chan struct{})
		var runs atomic.Int64
		work := job.NewWork()
		job.On(work, func(ctx context.Context, g greet) error {
			if runs.Add(1) > 1 {
				took <- g.Name
				return nil
			}
			running <- g.Name
			select {
			case <-stuck:
			case <-ctx.Done():
			}
			return ctx.Err()
		})
		q := started(t, d, work)
		if err := d.Do(ctx, func(tx *db.Tx) error { return q.Put(ctx, tx, job.Codes, greet{"Pat"}) }); err != nil {
			t.Fatal(err)
		}
		<-running
		// The node is gone as far as the queue knows: its job says that it is running. The
		// node that comes back under the name lets it be taken, by whichever is quicker here.
		again := job.NewWork()
		job.On(again, func(_ context.Context, g greet) error { took <- g.Name; return nil })
		started(t, d, again)
		if got := <-took; got != "Pat" {
			t.Errorf("took up %q", got)
		}
		close(stuck)
	})
}
