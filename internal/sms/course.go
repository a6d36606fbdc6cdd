package sms

// none is no provider.
const none = -1

// course is which of the providers a text has tried, as it is told in Text.After and
// Receipt.Next: a number that only grows.
//
// Below n it is a plain index: all providers before it were tried. From n on it is n and
// a set of bits, one for each that was tried. The set is needed when a resting or slow
// provider was passed over: the next plain index would leave it out for good.
type course struct {
	n    int // providers
	set  int // bits of those tried
	wide bool
	at   int // the plain index, if not wide
}

func read(after, n int) course {
	all := 1<<n - 1
	switch {
	case after < 0:
		return course{n: n}
	case after < n:
		return course{n: n, set: 1<<after - 1, at: after}
	case after == n: // a caller that counts: behind the last one is nobody
		return course{n: n, set: all, wide: true}
	}
	return course{n: n, set: (after - n) & all, wide: true}
}

func (c course) tried(i int) bool { return c.set&(1<<i) != 0 }

// then is the course after trying i, as a number; none if nobody is left.
func (c course) then(i int) int {
	set := c.set | 1<<i
	switch {
	case set == 1<<c.n-1:
		return none
	case !c.wide && i == c.at:
		return i + 1
	}
	return c.n + set
}
