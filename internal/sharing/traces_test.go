package sharing_test

import (
	"fmt"
	"math/rand/v2" //nolint:depguard // the same traces in every run need a seed
	"time"

	"keyturn/internal/address"
	"keyturn/internal/session"
	"keyturn/internal/sharing"
)

// The traces are invented, and labelled: who made them is known. A person is at one thing
// at a time, in stretches; a telephone or a tablet is looked at in between.

var brisbane = func() *time.Location {
	zone, err := time.LoadLocation("Australia/Brisbane")
	if err != nil {
		panic(err)
	}
	return zone
}()

const (
	pc    = "Chrome on Windows"
	edge  = "Edge on Windows"
	mac   = "Chrome on macOS"
	phone = "Safari on iOS"
	pad   = "Safari on macOS"
)

// maker makes one trace.
type maker struct {
	*rand.Rand
	trace sharing.Trace
	uses  map[session.Place]map[int64]bool
	days  int
}

func newMaker(seed uint64) *maker {
	return &maker{
		Rand: rand.New(rand.NewPCG(seed, 7)), uses: map[session.Place]map[int64]bool{}, days: 30,
		trace: sharing.Trace{Zone: brisbane, Login: "kim@bayside.example", First: "Kim", Last: "Osei"},
	}
}

func dev(browser, network, agent string) session.Place {
	return session.Place{Browser: browser, Network: network, Agent: agent}
}

// at is an hour of a day, as a number of ten minutes.
func at(day int, hour float64) int64 {
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, brisbane).AddDate(0, 0, day)
	return session.TenOf(start) + int64(hour*6)
}

func (m *maker) mark(d session.Place, ten int64) {
	if m.uses[d] == nil {
		m.uses[d] = map[int64]bool{}
	}
	m.uses[d][ten] = true
}

// work is one person from one hour to another: stretches of half an hour to two hours and a
// half at one of their computers, with few pauses of ten minutes, and longer ones between.
func (m *maker) work(day int, from, to float64, computers ...session.Place) {
	for ten, end := at(day, from), at(day, to); ten < end; {
		here := computers[m.IntN(len(computers))]
		for until := min(end, ten+int64(3+m.IntN(13))); ten < until; ten++ {
			if m.Float64() < 0.92 {
				m.mark(here, ten)
			}
		}
		ten += int64(1 + m.IntN(4))
	}
}

// glance is something looked at now and then.
func (m *maker) glance(day int, from, to, often float64, d session.Place) {
	for ten := at(day, from); ten < at(day, to); ten++ {
		if m.Float64() < often {
			m.mark(d, ten)
		}
	}
}

func (m *maker) made() sharing.Trace {
	for place, tens := range m.uses {
		u := session.Uses{Place: place}
		for ten := range tens {
			u.Tens = append(u.Tens, ten)
		}
		m.trace.Uses = append(m.trace.Uses, u)
	}
	return m.trace
}

// eachDay runs through the working days: five of seven.
func (m *maker) eachDay(do func(day int)) {
	for day := range m.days {
		if day%7 < 5 {
			do(day)
		}
	}
}

func (m *maker) named(login, first, last string) {
	m.trace.Login, m.trace.First, m.trace.Last = address.Canonical(login), first, last
}

// label is one kind of trace.
type label struct {
	name   string
	shared bool
	// visible says that something of it can be seen at all; what cannot is measured, too,
	// and counts in the recall.
	visible bool
	make    func(m *maker)
}

func labels() []label {
	all := []label{
		{"one person, telephone and desktop", false, true, func(m *maker) {
			m.eachDay(func(d int) {
				m.work(d, 8, 17, dev("desk", "shop", pc))
				m.glance(d, 7, 22, 0.15, dev("phone", []string{"shop", "carrier"}[m.IntN(2)], phone))
			})
		}},
		{"one person, telephone, desktop and tablet", false, true, func(m *maker) {
			m.eachDay(func(d int) {
				m.work(d, 8, 17, dev("desk", "shop", pc))
				m.glance(d, 7, 22, 0.15, dev("phone", "carrier", phone))
				m.glance(d, 8, 21, 0.2, dev("pad", "shop", pad))
			})
		}},
		{"one person, two computers and a telephone", false, true, func(m *maker) {
			m.eachDay(func(d int) {
				m.work(d, 7.5, 17.5, dev("desk", "shop", pc), dev("counter", "shop", edge))
				m.glance(d, 7, 22, 0.15, dev("phone", "carrier", phone))
			})
		}},
		{"one person, two browsers on one computer", false, true, func(m *maker) {
			m.eachDay(func(d int) {
				m.work(d, 8, 17, dev("chrome", "shop", pc))
				m.glance(d, 8, 17, 0.3, dev("edge", "shop", edge))
			})
		}},
		{"one person who carries a laptop in", false, true, func(m *maker) {
			m.eachDay(func(d int) {
				m.work(d, 6.5, 7.5, dev("laptop", "home", mac))
				m.work(d, 8, 17, dev("desk", "shop", pc), dev("laptop", "home", mac))
				m.glance(d, 6, 22, 0.2, dev("phone", "carrier", phone))
			})
		}},
		{"one person who travels", false, true, func(m *maker) {
			m.eachDay(func(d int) {
				m.work(d, 8, 18, dev("laptop", fmt.Sprint("hotel", d), mac))
				m.glance(d, 6, 23, 0.3, dev("phone", fmt.Sprint("carrier", d%4), phone))
			})
		}},
		{"one person whose browser forgets", false, true, func(m *maker) {
			m.eachDay(func(d int) {
				m.work(d, 8, 12, dev(fmt.Sprint("am", d), "shop", pc))
				m.work(d, 13, 17, dev(fmt.Sprint("pm", d), "shop", pc))
				m.glance(d, 7, 22, 0.1, dev("phone", "carrier", phone))
			})
		}},
		{"an owner with long days", false, true, func(m *maker) {
			m.days = 30
			for d := range m.days {
				m.work(d, 6, 18, dev("desk", "shop", pc))
				if m.IntN(2) == 0 {
					m.work(d, 20, 21, dev("laptop", "home", mac))
				}
			}
		}},
		{"a bookkeeper at accounts@", false, true, func(m *maker) {
			m.named("accounts@bayside.example", "Bev", "Lindqvist")
			m.eachDay(func(d int) {
				m.work(d, 9, 15, dev("desk", "books", pc))
				m.glance(d, 8, 20, 0.1, dev("phone", "carrier", phone))
			})
		}},
		{"one person with a slip of a code", false, true, func(m *maker) {
			m.eachDay(func(d int) { m.work(d, 8, 17, dev("desk", "shop", pc)) })
			m.trace.Crossed = []time.Time{time.Unix(at(3, 8)*600, 0), time.Unix(at(3, 9)*600, 0), time.Unix(at(12, 8)*600, 0)}
		}},
		{"two people at two branches", true, true, func(m *maker) {
			m.eachDay(func(d int) {
				m.work(d, 8, 17, dev("north", "north", pc))
				m.work(d, 8, 17, dev("south", "south", pc))
			})
		}},
		{"an owner, and a bookkeeper two days a week", true, true, func(m *maker) {
			m.eachDay(func(d int) {
				m.work(d, 7, 17, dev("desk", "shop", pc))
				if d%7 < 2 {
					m.work(d, 9, 15, dev("books", "books", mac))
				}
			})
		}},
		{"two shifts at one computer", true, true, func(m *maker) {
			m.eachDay(func(d int) {
				m.work(d, 6, 14, dev("desk", "shop", pc))
				m.work(d, 14, 22, dev("desk", "shop", pc))
			})
		}},
		{"three shifts at two computers", true, true, func(m *maker) {
			m.eachDay(func(d int) {
				m.work(d, 5, 12, dev("desk", "shop", pc))
				m.work(d, 12, 19, dev("counter", "shop", pc))
				m.work(d, 17, 24, dev("desk", "shop", pc))
			})
		}},
		{"three at one computer, named after it", true, true, func(m *maker) {
			m.named("reception@bayside.example", "Front", "Desk")
			m.eachDay(func(d int) { m.work(d, 8, 17, dev("desk", "shop", pc)) })
		}},
		{"two at one computer, named both", true, true, func(m *maker) {
			m.named("shop7@bayside.example", "Pat & Kim", "Lee")
			m.eachDay(func(d int) { m.work(d, 8, 17, dev("desk", "shop", pc)) })
		}},
		{"a login handed from one to the next", true, true, func(m *maker) {
			m.trace.Names = []string{"Ana Silva", "Dale Porter", "Kim Osei"}
			m.eachDay(func(d int) { m.work(d, 8, 17, dev("desk", "shop", pc)) })
		}},
		{"a code read out across the shop", true, true, func(m *maker) {
			m.eachDay(func(d int) {
				m.work(d, 8, 17, dev("desk", "shop", pc))
				if d%7 == 1 || d%7 == 3 {
					m.trace.Crossed = append(m.trace.Crossed, time.Unix(at(d, 8.2)*600, 0))
				}
			})
		}},
		{"two at one computer, by turns, with one name", true, false, func(m *maker) {
			m.eachDay(func(d int) {
				m.work(d, 8, 12.5, dev("desk", "shop", pc))
				m.work(d, 12.5, 17, dev("desk", "shop", pc))
			})
		}},
	}
	for _, n := range []int{2, 3, 5} {
		all = append(all, label{fmt.Sprintf("%d people at a computer each in one room", n), true, true, func(m *maker) {
			m.eachDay(func(d int) {
				for p := range n {
					m.work(d, 7.5+float64(p%3)/2, 16.5+float64(p%3)/2, dev(fmt.Sprint("desk", p), "shop", pc))
				}
			})
		}})
	}
	return all
}
