package password

import "slices"

// waiter is one that waits for a slot; ready is closed when it has one.
type waiter struct {
	turn  Turn
	ready chan struct{}
}

// line is a queue in which networks take turns, and within a network its users. It
// holds a few hundred waiters at most, so it searches by walking.
type line struct {
	networks []*network // in the order of their turns, none of them empty
	size     int
}

type network struct {
	name  string
	users []*user // in the order of their turns, none of them empty
	size  int
}

type user struct {
	name    string
	waiters []*waiter // first come, first served
}

// join puts a waiter behind those of its user; a user or network that was not
// waiting has the last turn.
func (l *line) join(w *waiter) {
	n := l.network(w.turn.Network)
	if n == nil {
		n = &network{name: w.turn.Network}
		l.networks = append(l.networks, n)
	}
	u := n.user(w.turn.User)
	if u == nil {
		u = &user{name: w.turn.User}
		n.users = append(n.users, u)
	}
	u.waiters = append(u.waiters, w)
	n.size++
	l.size++
}

// next takes out whose turn it is, and sends its network and user to the end; nil if
// nobody waits.
func (l *line) next() *waiter {
	if l.size == 0 {
		return nil
	}
	n := l.networks[0]
	u := n.users[0]
	w := u.waiters[0]
	l.leave(w)
	if n.size > 0 && len(u.waiters) > 0 {
		n.users = append(slices.Delete(n.users, 0, 1), u)
	}
	if n.size > 0 {
		l.networks = append(slices.Delete(l.networks, 0, 1), n)
	}
	return w
}

// leave takes a waiter out wherever it stands, and reports whether it was there.
func (l *line) leave(w *waiter) bool {
	n := l.network(w.turn.Network)
	if n == nil {
		return false
	}
	u := n.user(w.turn.User)
	if u == nil {
		return false
	}
	i := slices.Index(u.waiters, w)
	if i < 0 {
		return false
	}
	u.waiters = slices.Delete(u.waiters, i, i+1)
	n.size--
	l.size--
	if len(u.waiters) == 0 {
		n.users = slices.DeleteFunc(n.users, func(other *user) bool { return other == u })
	}
	if n.size == 0 {
		l.networks = slices.DeleteFunc(l.networks, func(other *network) bool { return other == n })
	}
	return true
}

// of is how many of a network wait.
func (l *line) of(name string) int {
	if n := l.network(name); n != nil {
		return n.size
	}
	return 0
}

func (l *line) network(name string) *network {
	i := slices.IndexFunc(l.networks, func(n *network) bool { return n.name == name })
	if i < 0 {
		return nil
	}
	return l.networks[i]
}

func (n *network) user(name string) *user {
	i := slices.IndexFunc(n.users, func(u *user) bool { return u.name == name })
	if i < 0 {
		return nil
	}
	return n.users[i]
}
