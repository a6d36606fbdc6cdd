package brake_test

import (
	"math"
	"math/rand/v2" //nolint:depguard // simulations are repeatable from their seed
	"slices"
	"testing"

	"keyturn/internal/brake"
)

// world is how often sign-ins fail in each group, and which share of both is the wave's.
type world struct {
	wave, control float64
	share         float64
	// swing makes both rise and fall together through the day, by this part of the rate.
	swing float64
}

// run lives through a wave of so many sign-ins, or until it is stopped.
func run(dice *rand.Rand, s brake.Settings, w world, signIns int) brake.Brake {
	b := brake.Brake{Settings: s}
	for n := 0; n < signIns && !b.Stopped(); {
		day := 1 + w.swing*math.Sin(float64(n)/40)
		if dice.Float64() < w.share {
			n++
			b.Wave(dice.Float64() < w.wave*day)
		} else {
			b.Control(dice.Float64() < w.control*day)
		}
	}
	return b
}

// healthy are worlds in which a wave keeps to what it is held to, many of them only just.
var healthy = []world{
	{wave: 0, control: 0, share: 0.5},                   // nobody fails
	{wave: 0.02, control: 0.02, share: 0.5},             // one in fifty fails, in both
	{wave: 0.02, control: 0, share: 0.5},                // one in fifty of the wave, none of the others
	{wave: 0.05, control: 0.03, share: 0.5},             // the wave fails just as much more as it may
	{wave: 0.05, control: 0.03, share: 0.1},             // that, with ten times as many in control
	{wave: 0.05, control: 0.03, share: 0.95},            // that, with hardly anybody in control
	{wave: 0.1, control: 0.1, share: 0.5},               // both as bad as they may be
	{wave: 0.1, control: 0, share: 1},                   // the wave alone, as bad as it may be
	{wave: 0.06, control: 0.06, share: 0.3, swing: 0.6}, // rates that rise and fall through the day
	{wave: 0.11, control: 0.09, share: 0.5},             // both limits at once
}

// A test by betting never uses up what it is allowed; the second setting shows that the
// figure is not kept by never stopping at all.
func TestHealthyRolloutsAreStoppedAsSeldomAsStated(t *testing.T) {
	t.Parallel()
	const rollouts, waves, signIns = 1000, 4, 300
	for _, row := range []struct {
		allowed float64 // of one wave
		fewest  int
	}{{0.001, 0}, {0.1, 1}} {
		dice := rand.New(rand.NewPCG(1, 2026)) //nolint:gosec // a simulation
		lost := map[brake.Rule]int{}
		for n := range rollouts {
			w := healthy[n%len(healthy)]
			for range waves {
				b := run(dice, brake.Settings{FalseAlarm: row.allowed}, w, signIns)
				if by, _ := b.By(); b.Stopped() {
					lost[by]++
					break
				}
			}
		}
		stopped := lost[brake.Difference] + lost[brake.Level]
		t.Logf("stated %g for a wave, %g at most for a rollout of %d: %d of %d healthy rollouts were stopped %v",
			row.allowed, row.allowed*waves, waves, stopped, rollouts, lost)
		if most := int(row.allowed * waves * rollouts); stopped > most || stopped < row.fewest {
			t.Errorf("%d rollouts were stopped, not %d to %d", stopped, row.fewest, most)
		}
	}
}

func TestAWaveThatFailsMoreIsStopped(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		world
		by   brake.Rule
		most int // after so many sign-ins of the wave 95 of a hundred are stopped
	}{
		"SMS loses 30 of a hundred sign-ins":                  {world{wave: 0.31, control: 0.01, share: 0.5}, brake.Difference, 120},
		"SMS loses 10 of a hundred sign-ins":                  {world{wave: 0.11, control: 0.01, share: 0.5}, brake.Difference, 750},
		"SMS loses 5 of a hundred sign-ins":                   {world{wave: 0.06, control: 0.01, share: 0.5}, brake.Difference, 3000},
		"30 of a hundred, with nine in control for each":      {world{wave: 0.31, control: 0.01, share: 0.1}, brake.Difference, 85},
		"10 of a hundred, with nine in control for each":      {world{wave: 0.11, control: 0.01, share: 0.1}, brake.Difference, 420},
		"5 of a hundred, with nine in control for each":       {world{wave: 0.06, control: 0.01, share: 0.1}, brake.Difference, 1900},
		"nobody of the wave gets in":                          {world{wave: 1, control: 0.01, share: 0.5}, brake.Level, 15},
		"nobody of a small wave gets in":                      {world{wave: 1, control: 0.01, share: 0.1}, brake.Difference, 18},
		"mail is twelve minutes late, and half have it":       {world{wave: 0.5, control: 0.5, share: 0.5}, brake.Level, 20},
		"mail is twelve minutes late, and a quarter have it":  {world{wave: 0.27, control: 0.27, share: 0.5}, brake.Level, 80},
		"30 of a hundred in the last wave, without a control": {world{wave: 0.31, share: 1}, brake.Level, 100},
		"30 of a hundred, with one in control for nine":       {world{wave: 0.31, control: 0.01, share: 0.9}, brake.Level, 150},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const waves = 200
			dice := rand.New(rand.NewPCG(2, 2026)) //nolint:gosec // a simulation
			var after []int
			by := map[brake.Rule]int{}
			for range waves {
				b := run(dice, brake.Settings{}, row.world, 2*row.most)
				rule, n := b.By()
				if rule == "" {
					n = math.MaxInt
				}
				by[rule]++
				after = append(after, n)
			}
			slices.Sort(after)
			half, most := after[waves/2], after[waves*95/100-1]
			t.Logf("half of the waves are stopped after %d sign-ins, 95 of a hundred after %d: %v", half, most, by)
			if most > row.most {
				t.Errorf("95 of a hundred take %d sign-ins, more than %d", most, row.most)
			}
			if by[row.by] < waves/2 {
				t.Errorf("stopped by %v, not by %s", by, row.by)
			}
		})
	}
}

// With a control rate carried over from before, the luck of five people would condemn
// every wave after them.
func TestTheLuckOfAFewInControlStopsNobody(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(3, 2026)) //nolint:gosec // a simulation
	var b brake.Brake
	for range 5 {
		b.Control(false)
	}
	for range 20_000 {
		b.Wave(dice.Float64() < 0.06)
	}
	if b.Stopped() {
		t.Errorf("stopped by %v", b)
	}
}

func TestAWaveThatDoesBetterIsNotStoppedForIt(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(4, 2026)) //nolint:gosec // a simulation
	if b := run(dice, brake.Settings{}, world{wave: 0, control: 0.15, share: 0.5}, 5000); b.Stopped() {
		t.Errorf("stopped by %v", b)
	}
}

func TestTheSameSignInsMakeTheSameBrake(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(5, 2026)) //nolint:gosec // a simulation
	var all []brake.SignIn
	var b brake.Brake
	for range 300 {
		one := brake.SignIn{Wave: dice.Float64() < 0.5, Failed: dice.Float64() < 0.2}
		all = append(all, one)
		b.Tell(one)
		if s := b.Strength(); s < 0 || s > 1 || (s == 1) != b.Stopped() {
			t.Fatalf("the strength is %g, stopped %v", s, b.Stopped())
		}
	}
	again := brake.Run(brake.Settings{}, slices.Values(all))
	if again != b {
		t.Errorf("%+v, and again %+v", b, again)
	}
	wave, control := again.Groups()
	if wave.SignIns+control.SignIns != 300 || wave.Failed > wave.SignIns || wave.Rate() <= 0 {
		t.Errorf("the groups are %+v and %+v", wave, control)
	}
}

func TestOnceStoppedItStaysStopped(t *testing.T) {
	t.Parallel()
	var b brake.Brake
	for !b.Stopped() {
		b.Wave(true)
	}
	by, after := b.By()
	if by != brake.Level || after > 10 {
		t.Errorf("stopped by %q after %d", by, after)
	}
	for range 1000 {
		b.Wave(false)
		b.Control(false)
	}
	if rule, n := b.By(); rule != by || n != after || b.Strength() != 1 {
		t.Errorf("what came later changed it to %q after %d", rule, n)
	}
}

func TestABrakeOfNobodyIsQuiet(t *testing.T) {
	t.Parallel()
	var b brake.Brake
	wave, control := b.Groups()
	if b.Stopped() || b.Strength() != 0 || wave.Rate() != 0 || control.Rate() != 0 {
		t.Errorf("a brake of nobody is %+v", b)
	}
}

// Settings that mean nothing must not turn the brake off, or make numbers that compare
// with nothing.
func TestAbsurdSettingsStillBrake(t *testing.T) {
	t.Parallel()
	for _, s := range []brake.Settings{
		{Tolerance: -1, Ceiling: -1, FalseAlarm: -1},
		{Tolerance: 7, Ceiling: 7, FalseAlarm: 7},
		{Tolerance: math.NaN(), Ceiling: math.NaN(), FalseAlarm: math.NaN()},
		{Tolerance: math.Inf(1), Ceiling: math.Inf(1), FalseAlarm: math.Inf(1)},
	} {
		b := brake.Brake{Settings: s}
		for range 2000 {
			b.Wave(true)
			b.Control(false)
		}
		if got := b.Strength(); math.IsNaN(got) || !b.Stopped() {
			t.Errorf("with %+v nothing stops a wave in which all fail: strength %g", s, got)
		}
	}
}
