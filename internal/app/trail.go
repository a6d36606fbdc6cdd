package app

import (
	"context"
	"errors"
)

// trailJob is the job that makes the day's checkpoints of the audit trail, and removes
// what is past its keeping time.
type trailJob struct{}

// Kind implements job.Args.
func (trailJob) Kind() string { return "trail" }

// checkpointsMost and prunedMost bound what one run does: sites, and chains.
const (
	checkpointsMost = 100
	prunedMost      = 20
)

func (f *flows) keepTrail(ctx context.Context) error {
	return errors.Join(f.trail.MakeCheckpoints(ctx, checkpointsMost), f.trail.Prune(ctx, prunedMost))
}
