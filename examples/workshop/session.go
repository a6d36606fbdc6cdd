package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"
)

const (
	// askEvery is how long the product believes what Keyturn said of a person: under the five
	// seconds within which everything that Keyturn ended has to be dead. Nobody who looks at
	// no page is asked about, and nobody more often than this.
	askEvery = 3 * time.Second
	// sessionLife bounds a session here. Keyturn ends its own sooner.
	sessionLife = 24 * time.Hour
)

// Session is one signed-in browser.
type Session struct {
	mu    sync.Mutex
	grant Grant
	who   Person
	asked time.Time
	// at is the workshop that is open, by its id; empty: none yet.
	at string

	// sid is what Keyturn calls the session. It never changes, and nor does begun.
	sid   string
	begun time.Time
}

// Sessions are kept in memory, by the hash of what the browser has: a product of several
// servers keeps them in its database, and locks the row for the time of a renewal.
type Sessions struct {
	now func() time.Time

	mu  sync.Mutex
	all map[[sha256.Size]byte]*Session
}

// NewSessions makes a place for sessions.
func NewSessions(now func() time.Time) *Sessions {
	return &Sessions{now: now, all: map[[sha256.Size]byte]*Session{}}
}

// Begin begins a session and gives the text of its cookie: always a new one, so that a cookie
// that somebody planted is worth nothing after the sign-in. at is the workshop that is open;
// empty: the only one, if there is only one.
func (all *Sessions) Begin(g Grant, who Person, at string) string {
	all.mu.Lock()
	defer all.mu.Unlock()
	now := all.now()
	for key, s := range all.all {
		if now.Sub(s.begun) > sessionLife {
			delete(all.all, key)
		}
	}
	s := &Session{grant: g, who: who, asked: now, at: at, sid: who.SID, begun: now}
	if at == "" && len(who.Sites) == 1 {
		s.at = who.Sites[0].ID
	}
	text := random()
	all.all[sha256.Sum256([]byte(text))] = s
	return text
}

// Of finds the session of a cookie; nil if there is none.
func (all *Sessions) Of(text string) *Session {
	all.mu.Lock()
	defer all.mu.Unlock()
	s := all.all[sha256.Sum256([]byte(text))]
	if s == nil || all.now().Sub(s.begun) > sessionLife {
		return nil
	}
	return s
}

// End ends the session of a cookie.
func (all *Sessions) End(text string) {
	all.mu.Lock()
	defer all.mu.Unlock()
	delete(all.all, sha256.Sum256([]byte(text)))
}

// EndSID ends every session that Keyturn calls so, and says how many those were.
func (all *Sessions) EndSID(sid string) (ended int) {
	all.mu.Lock()
	defer all.mu.Unlock()
	for key, s := range all.all {
		if s.sid == sid {
			delete(all.all, key)
			ended++
		}
	}
	return ended
}

// Visit is a session as one request sees it.
type Visit struct {
	Person

	// At is the workshop that is open; its id is empty where none is.
	At Site
}

// Current says who a session is now. Once every askEvery it asks Keyturn, and renews the grant
// where its access token has run out. ErrOver says that the session is over; any other error
// that Keyturn could not be asked, and then nothing may be shown.
func (s *Session) Current(ctx context.Context, k *Keyturn, now time.Time) (Visit, error) {
	s.mu.Lock() // one request asks and renews, the others wait for what it learns
	defer s.mu.Unlock()
	if now.Sub(s.asked) >= askEvery {
		who, err := k.Person(ctx, s.grant)
		if errors.Is(err, ErrOver) {
			var grant Grant
			if grant, err = k.Fresh(ctx, s.grant); err == nil {
				s.grant = grant // kept before it is used: the one before is worth nothing now
				who, err = k.Person(ctx, grant)
			}
		}
		if err != nil {
			return Visit{}, err
		}
		if who.Subject != s.who.Subject || who.SID != s.sid {
			return Visit{}, ErrOver
		}
		s.who, s.asked = who, now
	}
	v := Visit{Person: s.who}
	for _, one := range s.who.Sites {
		if one.ID == s.at {
			v.At = one
		}
	}
	return v, nil
}

// Open opens another of the person's workshops.
func (s *Session) Open(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = id
}

// Place is the workshop that is open, if the session is this person's.
func (s *Session) Place(subject string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.who.Subject != subject {
		return ""
	}
	return s.at
}

// Grant is what the session holds now.
func (s *Session) Grant() Grant {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.grant
}
