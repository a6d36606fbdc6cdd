package balance

import (
	"testing"
	"time"
)

func TestAForecastIsTheSpareBalanceByTheAverageOfADay(t *testing.T) {
	t.Parallel()
	now := time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		pace   pace
		spare  int
		perDay float64
		empty  time.Duration
		known  bool
	}{
		"nothing was sent":              {pace: pace{0, 0, lookBack}, spare: 100},
		"four charges are no habit":     {pace: pace{4, 400, lookBack}, spare: 100},
		"charges of nothing":            {pace: pace{9, 0, lookBack}, spare: 100},
		"one part a day":                {pace: pace{28, 28, lookBack}, spare: 100, perDay: 1, empty: 100 * day, known: true},
		"a week's worth of a young one": {pace: pace{7, 14, 7 * day}, spare: 10, perDay: 2, empty: 5 * day, known: true},
		"an hour counts as a day":       {pace: pace{5, 10, time.Hour}, spare: 5, perDay: 10, empty: 12 * time.Hour, known: true},
		"only the float is left":        {pace: pace{28, 28, lookBack}, spare: 0, perDay: 1, known: true},
		"a balance for centuries":       {pace: pace{5, 5, lookBack}, spare: 1_000_000_000, perDay: 5.0 / 28, empty: farthest * day, known: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := c.pace.forecast(c.spare, now)
			want := Forecast{PerDay: c.perDay, Known: c.known}
			if c.known {
				want.EmptyAt = now.Add(c.empty)
			}
			if got != want {
				t.Errorf("%+v, not %+v", got, want)
			}
		})
	}
}

func TestTheLineOfALowBalanceIsTheHighestOfThree(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kept int
		f    Forecast
		line int
	}{
		{0, Forecast{}, 10},
		{3, Forecast{PerDay: 1, Known: true}, 10},
		{9, Forecast{PerDay: 1, Known: true}, 18},
		{3, Forecast{PerDay: 20, Known: true}, 140},
		{3, Forecast{PerDay: 20}, 10},
	} {
		if got := lowLine(c.kept, c.f); got != c.line {
			t.Errorf("with %d kept back and %+v it is %d", c.kept, c.f, got)
		}
	}
}
