package limit

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// taken is what the tests remember of an accepted use, apart from the code.
type taken struct {
	at    int64
	known bool
}

// count counts the uses in the window that begins just after from and ends with upTo.
func count(all []taken, from, upTo int64) (total, unknown int) {
	for _, one := range all {
		if one.at > from && one.at <= upTo {
			total++
			if !one.known {
				unknown++
			}
		}
	}
	return total, unknown
}

// take is Take for one budget, through the stored text.
func take(t *rapid.T, text *string, b Budget, now int64, known bool) (frees int64, ok bool) {
	all, err := parse(*text)
	if err != nil {
		t.Fatalf("%q: %v", *text, err)
	}
	all, _ = all.settled(b, now)
	frees, full := all.full(b, now, known)
	if !full {
		all = all.with(b, now, known)
	}
	*text = all.text()
	return frees, !full
}

func anyBudget(t *rapid.T, least, most int) Budget {
	b := Budget{Name: "any", Cap: rapid.IntRange(least, most).Draw(t, "cap")}
	b.Kept = rapid.IntRange(0, b.Cap-1).Draw(t, "kept")
	b.Window = time.Duration(rapid.Int64Range(1e6, 90e6).Draw(t, "window")) * time.Microsecond
	return b
}

// anyStep moves time: often not at all or by a part of what a full window allows,
// sometimes exactly to the edge of a use's window.
func anyStep(t *rapid.T, b Budget, now int64, all []taken) int64 {
	switch rapid.IntRange(0, 3).Draw(t, "sort of step") {
	case 0:
		return now
	case 1:
		if len(all) > 0 {
			edge := all[rapid.IntRange(0, len(all)-1).Draw(t, "use")].at + b.window() + rapid.Int64Range(-1, 1).Draw(t, "off")
			return max(now, edge)
		}
		fallthrough
	default:
		return now + rapid.Int64Range(0, 2*b.window()/int64(b.Cap)+1).Draw(t, "step")
	}
}

func noWindowHoldsMore(t *rapid.T, b Budget, all []taken) {
	for _, last := range all {
		total, unknown := count(all, last.at-b.window(), last.at)
		if total > b.Cap || unknown > b.Cap-b.Kept {
			t.Fatalf("the window up to %d holds %d uses, %d unknown; allowed are %d and %d", last.at, total, unknown, b.Cap, b.Cap-b.Kept)
		}
	}
}

func TestSmallBudgetsAreExactInEveryWindow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := anyBudget(t, 1, 12)
		now, text := int64(1_790_000_000_000_000), ""
		var all []taken
		for range rapid.IntRange(1, 60).Draw(t, "takes") {
			now = anyStep(t, b, now, all)
			known := rapid.Bool().Draw(t, "known")
			total, unknown := count(all, now-b.window(), now)
			room := total < b.Cap && (known || unknown < b.Cap-b.Kept)
			before := text
			frees, ok := take(t, &text, b, now, known)
			if ok != room {
				t.Fatalf("accepted: %v; in the window are %d uses, %d unknown", ok, total, unknown)
			}
			if ok {
				all = append(all, taken{now, known})
				continue
			}
			if _, early := take(t, new(before), b, frees-1, known); early || frees <= now {
				t.Fatalf("told to come at %d, accepted before", frees)
			}
			if _, then := take(t, new(before), b, frees, known); !then {
				t.Fatalf("told to come at %d, refused then", frees)
			}
		}
		noWindowHoldsMore(t, b, all)
	})
}

func TestLargeBudgetsNeverAllowMoreAndHardlyLess(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := anyBudget(t, exactMost+1, 200)
		now, text := int64(1_790_000_000_000_000), ""
		var all []taken
		for range rapid.IntRange(1, 40).Draw(t, "bursts") {
			now = anyStep(t, b, now, all)
			known := rapid.Bool().Draw(t, "known")
			for range rapid.IntRange(1, 30).Draw(t, "burst") {
				now += rapid.Int64Range(0, 1000).Draw(t, "gap")
				before := text
				frees, ok := take(t, &text, b, now, known)
				if ok {
					all = append(all, taken{now, known})
					continue
				}
				total, unknown := count(all, now-b.window()-b.grain(), now)
				if total < b.Cap && (known || unknown < b.Cap-b.Kept) {
					t.Fatalf("refused with %d uses, %d unknown in a window and a bucket", total, unknown)
				}
				if _, then := take(t, new(before), b, frees, known); !then {
					t.Fatalf("told to come at %d, refused then", frees)
				}
			}
			stored, err := parse(text)
			if live := len(stored.after(now - b.window())); err != nil || live > exactMost {
				t.Fatalf("%d buckets in a window, %v", live, err)
			}
		}
		noWindowHoldsMore(t, b, all)
	})
}

func TestTransactionsThatGetTheRowOutOfOrderStillFitIntoEveryWindow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := anyBudget(t, 1, 12)
		base, text := int64(1_790_000_000_000_000), ""
		var all []taken
		for range rapid.IntRange(1, 80).Draw(t, "takes") {
			base = anyStep(t, b, base, all)
			now := base - rapid.Int64Range(0, slack).Draw(t, "late")
			known := rapid.Bool().Draw(t, "known")
			if _, ok := take(t, &text, b, now, known); ok {
				all = append(all, taken{now, known})
			}
		}
		noWindowHoldsMore(t, b, all)
	})
}

func TestUsesOfAClockThatWasPutBackCountFromNow(t *testing.T) {
	t.Parallel()
	b := Budget{Name: "any", Cap: 2, Window: time.Minute}
	now := int64(1_790_000_000_000_000)
	stored := uses{{at: now - 5e6, unknown: 1}, {at: now + 86_400e6, unknown: 1}}
	left, moved := stored.settled(b, now)
	if !moved {
		t.Fatal("nothing was moved")
	}
	if frees, full := left.full(b, now, false); !full || frees != now+55e6 {
		t.Errorf("full %v, frees %d s from now", full, (frees-now)/1e6)
	}
	if left, moved = left.settled(b, now+60e6); moved || len(left.after(now)) != 0 {
		t.Errorf("after a window: %v, moved %v", left, moved)
	}
}

func TestABudgetThatWasLargerMayBeReadAsASmallerOneAndBack(t *testing.T) {
	t.Parallel()
	small, large := Budget{Cap: 3, Window: time.Hour}, Budget{Cap: 100, Window: time.Hour}
	now := int64(1_790_000_000_000_000)
	var all uses
	for i := range int64(5) {
		all = all.with(small, now+i, false)
	}
	all = all.with(large, now+2, true)
	back, err := parse(all.text())
	if err != nil {
		t.Fatal(err)
	}
	if frees, full := back.full(small, now+10, true); !full || frees <= now+small.window() {
		t.Errorf("six uses leave room in three: frees %d", frees-now)
	}
	if _, full := back.full(large, now+10, true); full {
		t.Error("six uses fill a hundred")
	}
}

func TestStoredTextThatNobodyWroteIsAnError(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no mark":                     "kf12oj4t0k",
		"no moment":                   "-",
		"a comma too many":            "kf12oj4t0k-,",
		"a count of none":             "kf12oj4t0k-0",
		"a count of one spelled out":  "kf12oj4t0k-1",
		"a count below none":          "kf12oj4t0k--3",
		"a count beyond all":          "kf12oj4t0k-99999999999",
		"a count that is no number":   "kf12oj4t0k-x",
		"known before unknown":        "kf12oj4t0k+-",
		"two known counts":            "kf12oj4t0k++",
		"two unknown counts":          "kf12oj4t0k--",
		"upper case":                  "KF12OJ4T0K-",
		"a leading zero":              "0kf12oj4t0k-",
		"the same moment again":       "kf12oj4t0k-,0-",
		"a moment beyond all":         "1y2p0ij32e8e7-",
		"moments that add up to more": "eh4i5n9fyyo7-,eh4i5n9fyyo7-,eh4i5n9fyyo7-",
		"JSON":                        `[1,2]`,
		"a space":                     " ",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := parse(text); err == nil {
				t.Errorf("read as %v", got)
			}
		})
	}
}

func FuzzStoredText(f *testing.F) {
	for _, text := range []string{"", "kf12oj4t0k-", "kf12oj4t0k-,3x+,1a-12+3", "0+", "z-2147483647", "1-,1-", "-", "1+1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all, err := parse(text)
		if err != nil {
			return
		}
		if all.text() != text {
			t.Errorf("%q came back as %q", text, all.text())
		}
		before := int64(-1)
		for _, one := range all {
			if one.at <= before || one.at > latestMoment || one.known < 0 || one.unknown < 0 || one.known+one.unknown == 0 {
				t.Errorf("%q holds %+v after %d", text, one, before)
			}
			before = one.at
		}
	})
}
