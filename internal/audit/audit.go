package audit

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
)

// ActorKind is what sort of actor it was.
type ActorKind string

// The kinds of actor.
const (
	// ActorUser is a user, by their id. Before the password was right it is whoever
	// typed the user's login name.
	ActorUser ActorKind = "user"
	// ActorStaff is a member of the vendor's staff, by their user id.
	ActorStaff ActorKind = "staff"
	// ActorSystem is Keyturn itself, by the name of the part.
	ActorSystem ActorKind = "system"
	// ActorCommand is somebody at the command line, by the name of the command.
	ActorCommand ActorKind = "command"
	// ActorClient is an application, by its client id.
	ActorClient ActorKind = "client"
)

// Actor is who did it.
type Actor struct {
	Kind ActorKind
	// ID is never empty, and means what the kind says.
	ID string
	// Network and Agent are from where and with what. Both are personal to the actor.
	Network, Agent string
}

// person is the user whom the actor's network and agent belong to, if it is one.
func (a Actor) person() id.User {
	if a.Kind == ActorUser || a.Kind == ActorStaff {
		return id.User(a.ID)
	}
	return ""
}

// Event is one thing that happened.
type Event struct {
	Kind  Kind
	Actor Actor
	// Site is where it happened. Without one the event goes to the user's own chain.
	Site id.Site
	// User is whom it is about. It may be empty for what concerns a site as a whole.
	User id.User
	// Facts are what else is to be known. They are kept for good and shown to the
	// site, so they are never personal and never secret.
	Facts map[string]string
	// Personal are facts that can be erased: an address, a number, a name. They belong
	// to User. Empty ones are left out.
	Personal map[string]string
}

// The personal fields of the actor.
const (
	actorPrefix  = "actor."
	actorNetwork = actorPrefix + "network"
	actorAgent   = actorPrefix + "agent"
)

// The facts by which an erasure finds what was recorded of somebody before they were a
// user. They are never renamed.
const (
	// FactRequest is the id of the request that an event is about.
	FactRequest = "request"
	// FactRequests are the ids of the requests that a split made, with spaces between them.
	FactRequests = "requests"
	// PersonalPeople is the personal field with the names of those requests.
	PersonalPeople = "people"
)

// longest is how many bytes of one text are kept. Nobody can fill the trail with a
// header of a megabyte.
const longest = 1024

// Record has the event written at the end of the transaction, with the transaction's
// time. The events of one transaction keep their order within a chain.
//
// An event without a kind, a named actor or a subject is fault.Invalid, and the
// transaction then fails even if the error is dropped. A subject is a site or a user;
// a few kinds that concern the house need none.
func Record(_ context.Context, tx *db.Tx, e Event) error {
	if err := e.check(); err != nil {
		tx.Last("audit:", func(context.Context) error { return err })
		return err
	}
	p := prepare(e, tx.Now.UnixMicro())
	// Heads are taken in the order of the chains; ids are in the order of making.
	tx.Last("audit:"+p.body.Chain+":"+string(p.body.ID), func(ctx context.Context) error {
		if err := p.put(ctx, tx); err != nil {
			return fmt.Errorf("record %s: %w", e.Kind, err)
		}
		return nil
	})
	return nil
}

func (e Event) check() error {
	switch {
	case e.Kind == "":
		return fmt.Errorf("an event needs a kind: %w", fault.Invalid)
	case e.Actor.Kind == "" || e.Actor.ID == "":
		return fmt.Errorf("the event %s needs an actor: %w", e.Kind, fault.Invalid)
	case e.Site == "" && e.User == "" && !e.Kind.ofTheHouse():
		return fmt.Errorf("the event %s needs a site or a user: %w", e.Kind, fault.Invalid)
	}
	for field := range e.Personal {
		if strings.HasPrefix(field, actorPrefix) {
			return fmt.Errorf("the event %s: what is personal to the actor stands in Actor: %w", e.Kind, fault.Invalid)
		}
	}
	return nil
}

// chainOf is where the event belongs.
func chainOf(site id.Site, user id.User) string {
	switch {
	case site != "":
		return "site:" + string(site)
	case user != "":
		return fmt.Sprintf("people:%02x", sha256.Sum256([]byte(user))[0]%64)
	default:
		return "house"
	}
}

// pending is an event on its way into its chain: it lacks only its place there.
type pending struct {
	body     body
	personal []personal
}

func prepare(e Event, at int64) pending {
	p := pending{body: body{
		At:       at,
		Chain:    chainOf(e.Site, e.User),
		Facts:    make(map[string]string, len(e.Facts)),
		ID:       id.New[id.Event](),
		Kind:     e.Kind,
		Personal: make(map[string]string),
		Site:     e.Site,
		User:     e.User,
		V:        bodyVersion,
	}}
	p.body.Actor.ID, p.body.Actor.Kind = clean(e.Actor.ID), e.Actor.Kind
	for name, value := range e.Facts {
		p.body.Facts[clean(name)] = clean(value)
	}
	for _, field := range slices.Sorted(maps.Keys(e.Personal)) {
		p.hide(clean(field), clean(e.Personal[field]), e.User)
	}
	p.hide(actorAgent, clean(e.Actor.Agent), e.Actor.person())
	p.hide(actorNetwork, clean(e.Actor.Network), e.Actor.person())
	return p
}

// hide puts a commitment into the body and keeps the value beside it.
func (p *pending) hide(field, value string, whose id.User) {
	if value == "" {
		return
	}
	s := seal(value)
	p.body.Personal[field] = s.commitment(field)
	p.personal = append(p.personal, personal{field: field, whose: whose, sealed: s})
}

// clean makes a text that both engines store as it is: valid UTF-8, no NUL, and no
// longer than the longest. What a terminal would obey stays, and is escaped in the body.
func clean(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	if len(s) <= longest {
		return s
	}
	end := longest
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}
