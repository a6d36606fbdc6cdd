package limit

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// exactMost is the largest cap that is kept use by use. Larger ones are kept in
	// buckets of a 63rd of the window, so that a window touches 64 of them at most.
	exactMost = 64
	// slack is how far the moments of two transactions may be out of order: the 6¼
	// seconds that a transaction may live and wait, and the 2 seconds that a node's
	// clock may stand off, rounded up. Uses are kept that much longer than the window.
	slack = int64(10 * time.Second / time.Microsecond)
)

// use is one use, or several that are counted at the moment of the latest.
type use struct {
	at             int64 // microseconds since 1970
	unknown, known int64
}

// uses are in the order of their moments, no two at the same one.
type uses []use

// window is the length of the budget's window in microseconds.
func (b Budget) window() int64 { return b.Window.Microseconds() }

// grain is the length of a bucket in microseconds.
func (b Budget) grain() int64 {
	if b.Cap <= exactMost {
		return 1
	}
	const buckets = exactMost - 1 // a window that does not begin with a bucket touches one more
	return (b.window() + buckets - 1) / buckets
}

// full says whether a use has to be refused at the moment now, and when it would not.
func (u uses) full(b Budget, now int64, known bool) (frees int64, full bool) {
	live := u.after(now - b.window())
	frees, full = live.frees(b, b.Cap, func(one use) int64 { return one.unknown + one.known })
	if known {
		return frees, full
	}
	other, also := live.frees(b, b.Cap-b.Kept, func(one use) int64 { return one.unknown })
	return max(frees, other), full || also
}

// frees says whether as many uses as most are counted, and when the oldest of them
// have left the window so that there is room for one more.
func (u uses) frees(b Budget, most int, count func(use) int64) (at int64, full bool) {
	var all int64
	for _, one := range u {
		all += count(one)
	}
	for _, one := range u {
		if all < int64(most) {
			break
		}
		all -= count(one)
		at, full = one.at+b.window(), true
	}
	return at, full
}

// left is how many uses are left at the moment now, and when the oldest one that is counted
// has left the window; now, if there is none.
func (u uses) left(b Budget, now int64, known bool) (n int, frees int64) {
	live := u.after(now - b.window())
	var all, unknown int64
	for _, one := range live {
		all, unknown = all+one.unknown+one.known, unknown+one.unknown
	}
	n = b.Cap - int(all)
	if !known {
		n = min(n, b.Cap-b.Kept-int(unknown))
	}
	frees = now
	if len(live) > 0 {
		frees = live[0].at + b.window()
	}
	return max(n, 0), frees
}

// after gives the uses later than the moment.
func (u uses) after(at int64) uses {
	i, _ := slices.BinarySearchFunc(u, at+1, byMoment)
	return u[i:]
}

func byMoment(one use, at int64) int { return cmp.Compare(one.at, at) }

// with adds one use.
func (u uses) with(b Budget, at int64, known bool) uses {
	if known {
		return u.add(b, use{at: at, known: 1})
	}
	return u.add(b, use{at: at, unknown: 1})
}

// add puts a use into its bucket, whose moment is the latest of what it holds.
func (u uses) add(b Budget, more use) uses {
	all := slices.Clone(u)
	if i, there := u.bucket(b, more.at); there {
		all[i].at = max(all[i].at, more.at)
		all[i].unknown += more.unknown
		all[i].known += more.known
		return all
	}
	i, _ := slices.BinarySearchFunc(all, more.at, byMoment)
	return slices.Insert(all, i, more)
}

// bucket finds the last entry of the bucket in which the moment lies.
func (u uses) bucket(b Budget, at int64) (int, bool) {
	grain := b.grain()
	i, _ := slices.BinarySearchFunc(u, (at/grain+1)*grain, byMoment)
	return i - 1, i > 0 && u[i-1].at/grain == at/grain
}

// without takes away the use that a charge names, and says whether there was one. The
// moment of a bucket stays as it is: it may then be later than what is left in it,
// never earlier.
func (u uses) without(c Charge) (uses, bool) {
	i := len(u) - 1
	if !c.At.IsZero() {
		found, there := u.bucket(c.Budget, c.At.UnixMicro())
		if !there || !u[found].has(c.Known) {
			return u, false
		}
		i = found
	}
	for i >= 0 && !u[i].has(c.Known) {
		i--
	}
	if i < 0 {
		return u, false
	}
	less := slices.Clone(u)
	if c.Known {
		less[i].known--
	} else {
		less[i].unknown--
	}
	if less[i].known+less[i].unknown == 0 {
		less = slices.Delete(less, i, i+1)
	}
	return less, true
}

func (one use) has(known bool) bool {
	if known {
		return one.known > 0
	}
	return one.unknown > 0
}

// settled drops the uses that no transaction can count any more. Uses that are further
// ahead than transactions can be were written by a clock that has been put back since;
// they are counted as of now, so that the wait ends after one window and not when that
// clock's time comes. moved says that there were such: then the row has to be written
// whatever else happens, or the wait would begin anew at every look.
func (u uses) settled(b Budget, now int64) (left uses, moved bool) {
	left = u.after(now - b.window() - slack)
	ahead := left.after(now + slack)
	if len(ahead) == 0 {
		return left, false
	}
	left = left[:len(left)-len(ahead)]
	for _, one := range ahead {
		one.at = now
		left = left.add(b, one)
	}
	return left, true
}

// idleAt is when the row means nothing any more.
func (u uses) idleAt(b Budget, now int64) int64 {
	if len(u) == 0 {
		return now
	}
	return u[len(u)-1].at + b.window() + slack
}

// text is the stored form: entries with commas between, each the microseconds since
// the entry before it (of the first: since 1970) in base 36, then "-" for unknown and
// "+" for known uses, each followed by their number where it is not 1. For example
// "kf12oj4t0k-,3x+,1a-12+3".
func (u uses) text() string {
	var b []byte
	var before int64
	for i, one := range u {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, one.at-before, 36)
		b = appendCount(b, '-', one.unknown)
		b = appendCount(b, '+', one.known)
		before = one.at
	}
	return string(b)
}

func appendCount(b []byte, mark byte, n int64) []byte {
	switch n {
	case 0:
		return b
	case 1:
		return append(b, mark)
	default:
		return strconv.AppendInt(append(b, mark), n, 10)
	}
}

// errStored is an error and no answer: a row that cannot be read must not let anybody
// pass. It ends by itself when the row is swept.
var errStored = errors.New("the stored uses cannot be read")

// parse reads what text wrote, and nothing else.
func parse(text string) (uses, error) {
	if text == "" {
		return nil, nil
	}
	all := make(uses, 0, strings.Count(text, ",")+1)
	var at int64
	for entry := range strings.SplitSeq(text, ",") {
		one, ok := parseUse(entry)
		if !ok || one.at > latestMoment-at || len(all) > 0 && one.at == 0 {
			return nil, errStored
		}
		at += one.at
		one.at = at
		all = append(all, one)
	}
	if all.text() != text { // another spelling of the same
		return nil, errStored
	}
	return all, nil
}

const (
	// latestMoment keeps sums of moments and windows far from overflow (the year 75000).
	latestMoment = int64(1) << 61
	countMost    = int64(1) << 31
)

func parseUse(entry string) (one use, ok bool) {
	mark := strings.IndexAny(entry, "-+")
	if mark < 0 {
		return one, false
	}
	var err error
	if one.at, err = strconv.ParseInt(entry[:mark], 36, 64); err != nil {
		return one, false
	}
	unknown, known, both := strings.Cut(entry[mark:], "+")
	if unknown != "" {
		if one.unknown, ok = parseCount(unknown[1:]); !ok {
			return one, false
		}
	}
	if both {
		if one.known, ok = parseCount(known); !ok {
			return one, false
		}
	}
	return one, true
}

func parseCount(digits string) (int64, bool) {
	if digits == "" {
		return 1, true
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil && n > 0 && n < countMost
}
