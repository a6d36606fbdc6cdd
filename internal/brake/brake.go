// Package brake says when a wave of a rollout has to be stopped, because the sign-ins of
// its people fail more often than they may.
//
// It compares two groups of people who typed the right password: those of the wave, and
// the control group, whose sites have their date still to come. A sign-in failed if the
// person was not in within three minutes. Two rules stop a wave:
//
//   - Difference: the wave fails more often than the control group does at the same time,
//     by more than the tolerance.
//   - Level: all of them together fail more often than the ceiling. When mail is late for
//     everybody the groups do not differ, and in the last wave there is no control group.
//
// Each rule is a test by betting (Waudby-Smith and Ramdas, "Estimating means of bounded
// random variables by betting", 2024). Somebody who starts with 1 bets on "worse than it
// may be", at each step a share fixed by what came before, on a game that is fair at best
// while all is well. By Ville's inequality such a fortune ever reaches k with a chance of
// 1/k at most. So the rate of false alarms holds over the whole wave, however often, and
// whenever, somebody looks; no number of sign-ins has to be chosen beforehand.
//
// It holds for any rate of failures, and for rates that change through the day, because
// both groups meet the same hour. It takes for granted that who signs in next does not
// depend on how the sign-ins before ended. See ADR 0023 for what that gives up.
package brake

import (
	"iter"
	"math"
)

const (
	defaultTolerance  = 0.02
	defaultCeiling    = 0.10
	defaultFalseAlarm = 0.001
)

// Settings are what a wave is held to. One that is not between 0 and 1, such as zero, is
// its default: no setting turns the brake off.
type Settings struct {
	// Tolerance is how much more often the wave may fail than the control group, as a
	// share of all sign-ins; by default 0.02, two of a hundred.
	Tolerance float64
	// Ceiling is how often sign-ins of both groups together may fail, as a share of all
	// of them; by default 0.10, one in ten.
	Ceiling float64
	// FalseAlarm is the greatest chance with which a wave that keeps to both is ever
	// stopped, by either rule, in its whole life. Of a rollout of n waves
	// it is n times that at most. By default 0.001.
	FalseAlarm float64
}

// Rule is what stopped a wave.
type Rule string

// The rules.
const (
	// Difference says that the wave failed more often than the control group.
	Difference Rule = "difference"
	// Level says that sign-ins failed too often, whosever they were.
	Level Rule = "level"
)

// SignIn is one right password and what became of it three minutes later.
type SignIn struct {
	// Wave says that it was one of the wave; otherwise it was one of the control group.
	Wave bool
	// Failed says that the person was not in within three minutes.
	Failed bool
}

// Group is how a group has fared.
type Group struct {
	SignIns int // right passwords
	Failed  int // of these, not in within three minutes
}

// Rate is the share that failed, 0 to 1; 0 of nobody.
func (g Group) Rate() float64 {
	if g.SignIns == 0 {
		return 0
	}
	return float64(g.Failed) / float64(g.SignIns)
}

// Brake watches one wave. Begin with Brake{Settings: ...} and tell it every sign-in in
// the order in which the passwords were typed: it is nothing but the sum of these, and
// whoever tells it the same again has the same brake. One goroutine at a time.
type Brake struct {
	Settings Settings

	wave, control Group
	// block holds what came since the last bet on the difference: a bet needs both groups.
	block struct{ wave, control Group }

	difference difference
	level      level
	stopped    Rule
	after      int
}

// Run is the brake after these sign-ins, in the order in which the passwords were typed.
func Run(s Settings, all iter.Seq[SignIn]) Brake {
	b := Brake{Settings: s}
	for one := range all {
		b.Tell(one)
	}
	return b
}

// Tell tells of the next sign-in, of either group.
func (b *Brake) Tell(s SignIn) {
	if s.Wave {
		b.Wave(s.Failed)
	} else {
		b.Control(s.Failed)
	}
}

// Wave tells of a sign-in of the wave.
func (b *Brake) Wave(failed bool) {
	b.wave.add(failed)
	b.block.wave.add(failed)
	b.weigh(failed)
}

// Control tells of a sign-in of the control group.
func (b *Brake) Control(failed bool) {
	b.control.add(failed)
	b.block.control.add(failed)
	b.weigh(failed)
}

// Stopped says whether the wave has to be stopped. Once stopped it stays so: what comes
// later is counted and changes nothing.
func (b Brake) Stopped() bool { return b.stopped != "" }

// By says which rule stopped the wave, and after how many sign-ins of the wave; empty and
// zero while it goes on.
func (b Brake) By() (Rule, int) { return b.stopped, b.after }

// Strength is how far the evidence has come, from 0 (none) to 1 (stopped). It rises and
// falls, on the scale on which each further failure adds about the same.
func (b Brake) Strength() float64 {
	if b.Stopped() {
		return 1
	}
	return min(1, float64(max(0, b.difference.fortune, b.level.fortune)/b.enough()))
}

// Groups are how the wave and the control group have fared so far.
func (b Brake) Groups() (wave, control Group) { return b.wave, b.control }

func (g *Group) add(failed bool) {
	g.SignIns++
	if failed {
		g.Failed++
	}
}

// weigh bets on the sign-in that was just added.
func (b *Brake) weigh(failed bool) {
	b.level.play(failed, b.ceiling())
	if w, c := b.block.wave, b.block.control; w.SignIns > 0 && c.SignIns > 0 {
		// As soon as there is somebody of each, so that both met the same moment. A control
		// rate carried over from an earlier one would be a guess, and no fair game.
		b.difference.play(w.Rate()-c.Rate(), b.tolerance())
		b.block.wave, b.block.control = Group{}, Group{}
	}
	if b.Stopped() {
		return
	}
	switch {
	case b.difference.fortune >= b.enough():
		b.stopped = Difference
	case b.level.fortune >= b.enough():
		b.stopped = Level
	default:
		return
	}
	b.after = b.wave.SignIns
}

// enough is the logarithm of the fortune that stops. The two rules share the false
// alarms: each has half.
func (b Brake) enough() fortune {
	return fortune(-math.Log(share(b.Settings.FalseAlarm, defaultFalseAlarm) / 2))
}

func (b Brake) tolerance() float64 { return share(b.Settings.Tolerance, defaultTolerance) }

func (b Brake) ceiling() float64 { return share(b.Settings.Ceiling, defaultCeiling) }

// share is a setting between 0 and 1; one that is neither is its default.
func share(set, otherwise float64) float64 {
	if set > 0 && set < 1 {
		return set
	}
	return otherwise
}

const (
	// boldest is the greatest part of a fortune that one step may lose: a fortune of
	// nothing could never win again.
	boldest = 0.9
	// quiet stands for what one sign-in of each group shows by chance while all is well:
	// nobody stakes much on little.
	quiet = 0.05
	// before is how many sign-ins at the ceiling are taken to have come first.
	before = 2
)

// fortune is the logarithm of what somebody has who began with 1.
type fortune float64

// bet plays one step of a game that gives x for each unit staked, with an expectation of
// 0 at most while all is well, and that never takes more than worst. The stake must be
// fixed before x is known.
func (f *fortune) bet(stake, x, worst float64) {
	*f += fortune(math.Log1p(min(max(0, stake), boldest/worst) * x))
}

// difference bets that the wave's failures exceed the control group's and the tolerance.
type difference struct {
	fortune
	sum, squares float64
}

// play stakes the share that would have grown the fortune best until now (Kelly's, of a
// small gain).
func (d *difference) play(gap, tolerance float64) {
	x := gap - tolerance
	d.bet(d.sum/(quiet+d.squares), x, 1+tolerance)
	d.sum += x
	d.squares += x * x
}

// level bets that more than the ceiling fail.
type level struct {
	fortune
	Group
}

// play stakes the share that grows the fortune best if the rate is what it was until now
// (Kelly's, of a game with two ends).
func (l *level) play(failed bool, ceiling float64) {
	rate := (float64(l.Failed) + before*ceiling) / float64(l.SignIns+before)
	x := -ceiling
	if failed {
		x++
	}
	l.bet((rate-ceiling)/(ceiling*(1-ceiling)), x, ceiling)
	l.add(failed)
}
