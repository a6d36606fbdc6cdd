package sharing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/message"
	"keyturn/internal/phone"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

const (
	// LeastDays is how far ahead the day is at least, in the site's days: time for the
	// account manager to provision everybody.
	LeastDays = 7
	// MostDays is how far at most: not so much that it is forgotten.
	MostDays = 60
	// MostPeople is how many one login becomes at most.
	MostPeople = 8
	// longestName is in characters.
	longestName = 60
)

// state is where a split stands.
type state string

const (
	planned   state = "planned"
	cancelled state = "cancelled"
	retired   state = "retired"
	// needless: the membership was no active one any more before the day came.
	needless state = "needless"
)

// Split is the plan to make several logins of one.
type Split struct {
	ID        id.Split
	Site      id.Site
	User      id.User
	PlannedBy id.User
	PlannedAt time.Time
	// RetireAt is when the login can no longer be used at the site: 4 am there.
	RetireAt time.Time
	// ToldAt is when everybody was told that the day is near; HeldAt when it could not be
	// retired because no other Admin was there. Zero if that was not so.
	ToldAt, HeldAt time.Time
}

// Plan is what an admin typed.
type Plan struct {
	// Day is as a form has it, "2026-12-24".
	Day    string
	People []NewPerson
}

// Fault is what is wrong with one field of a person.
type Fault string

// The faults of a person's fields.
const (
	NoName       Fault = "name"
	LongName     Fault = "long"
	WrongEmail   Fault = "email"
	OwnEmail     Fault = "own"
	TwiceEmail   Fault = "twice"
	WrongMobile  Fault = "mobile"
	WrongGroup   Fault = "group"
	nothingWrong Fault = ""
)

// Planned is what became of a plan. Faults is one for each person, for WrongPerson.
type Planned struct {
	Refused Refused
	Faults  []Fault
	Split   Split
}

// Divide plans to make several logins of one: each person is asked for at the account
// manager, and the old login is retired at the site on a day from 7 to 60 days ahead, at 4
// am. fault.NotFound for a login of another site.
func (d *Desk) Divide(ctx context.Context, by authority.Bearer, at site.Site, who id.User, plan Plan) (out Planned, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		out, err = d.divide(ctx, tx, by, at, who, plan)
		return err
	})
	return out, err
}

func (d *Desk) divide(ctx context.Context, tx *db.Tx, by authority.Bearer, at site.Site, who id.User, plan Plan) (out Planned, err error) {
	where, l, refused, err := d.mayChange(ctx, tx, by, who)
	switch {
	case err != nil:
		return out, err
	case where != at.ID:
		return out, fmt.Errorf("a login of the site: %w", fault.NotFound)
	}
	// What was typed is judged before the proof is asked for: whoever proves who they are
	// for a form that is then refused did it for nothing.
	people, faults := d.people(at, l, plan.People)
	day, ok := readDay(plan.Day, at.Zone, tx.Now)
	switch {
	case l.Split.ID != "":
		return Planned{Refused: Over}, nil
	case len(people) == 0:
		return Planned{Refused: Nobody}, nil
	case len(people) > MostPeople:
		return Planned{Refused: TooMany}, nil
	case slices.ContainsFunc(faults, func(f Fault) bool { return f != nothingWrong }):
		return Planned{Refused: WrongPerson, Faults: faults}, nil
	case !ok:
		return Planned{Refused: WrongDay}, nil
	case refused != "":
		return Planned{Refused: refused}, nil
	}
	if last, err := site.LastAdmin(ctx, tx, at.ID, who); err != nil || last {
		return Planned{Refused: LastAdmin}, err
	}
	s := Split{ID: id.New[id.Split](), Site: at.ID, User: who, PlannedBy: by.User.ID, PlannedAt: tx.Now, RetireAt: day}
	err = insertSplit(ctx, tx, s)
	if errors.Is(err, fault.Conflict) {
		return Planned{Refused: Over}, nil
	}
	if err != nil {
		return out, fmt.Errorf("store a split: %w", err)
	}
	return Planned{Split: s}, d.planned(ctx, tx, by, s, l, people)
}

// planned asks for the people, tells everybody and records it.
func (d *Desk) planned(ctx context.Context, tx *db.Tx, by authority.Bearer, s Split, l Login, people []NewPerson) error {
	names, requests := make([]string, 0, len(people)), make([]string, 0, len(people))
	for n, p := range people {
		request := ""
		if d.Ask != nil {
			var err error
			if request, err = d.Ask(ctx, tx, by, p); err != nil {
				return fmt.Errorf("ask for a person: %w", err)
			}
		}
		if err := insertPerson(ctx, tx, s, n+1, p, request); err != nil {
			return fmt.Errorf("store a person: %w", err)
		}
		names, requests = append(names, p.Name()), append(requests, request)
	}
	who, err := user.ByID(ctx, tx, s.User)
	if err != nil {
		return fmt.Errorf("find a user: %w", err)
	}
	if err := d.tellAll(ctx, tx, message.Notice{Site: s.Site, Kind: message.SplitPlanned, Words: map[string]string{
		"who": l.Name(), "by": by.User.Name(), "at": s.RetireAt.Format(time.RFC3339),
	}}, who, by.User.ID); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Event{
		Kind: audit.SplitPlanned, Actor: by.Actor(), User: s.User, Site: s.Site,
		Facts: map[string]string{
			"split": string(s.ID), "people": strconv.Itoa(len(people)), "retire_at": s.RetireAt.Format(time.RFC3339),
			audit.FactRequests: strings.Join(requests, " "),
		},
		Personal: map[string]string{audit.PersonalPeople: strings.Join(names, ", ")},
	})
}

// people gives what was typed its stored form, or says what is wrong with each. Rows in
// which nothing was typed are left out by whoever reads the form.
func (d *Desk) people(at site.Site, l Login, typed []NewPerson) ([]NewPerson, []Fault) {
	people, faults := slices.Clone(typed), make([]Fault, len(typed))
	seen := map[string]bool{}
	for i := range people {
		p := &people[i]
		p.Site, p.Instead = at.ID, l.User
		p.First, p.Last = strings.TrimSpace(p.First), strings.TrimSpace(p.Last)
		faults[i] = d.judge(p, at, l)
		if faults[i] == nothingWrong && seen[p.Email] {
			faults[i] = TwiceEmail
		}
		seen[p.Email] = true
	}
	return people, faults
}

func (d *Desk) judge(p *NewPerson, at site.Site, l Login) Fault {
	mail, err := address.Email(p.Email)
	switch {
	case p.First == "" || p.Last == "":
		return NoName
	case utf8.RuneCountInString(p.First) > longestName || utf8.RuneCountInString(p.Last) > longestName:
		return LongName
	case err != nil:
		return WrongEmail
	case mail == l.Login:
		return OwnEmail
	case !slices.Contains(site.Groups(), p.Group):
		return WrongGroup
	}
	p.Email = string(mail)
	if strings.TrimSpace(p.Mobile) == "" {
		p.Mobile = ""
		return nothingWrong
	}
	mobile, err := phone.Mobile(p.Mobile, at.Region, d.Countries)
	if err != nil {
		return WrongMobile
	}
	p.Mobile = mobile
	return nothingWrong
}

// readDay reads a day of a form: 4 am of it, at the site.
func readDay(typed string, zone *time.Location, now time.Time) (time.Time, bool) {
	first, last := Days(zone, now)
	day, err := time.ParseInLocation(time.DateOnly, strings.TrimSpace(typed), zone)
	if err != nil || day.Before(first) || day.After(last) {
		return time.Time{}, false
	}
	return time.Date(day.Year(), day.Month(), day.Day(), 4, 0, 0, 0, zone), true
}

// Days are the first and the last day on which a login may be retired.
func Days(zone *time.Location, now time.Time) (first, last time.Time) {
	y, m, d := now.In(zone).Date()
	return time.Date(y, m, d+LeastDays, 0, 0, 0, 0, zone), time.Date(y, m, d+MostDays, 0, 0, 0, 0, zone)
}

// People are those who were named for a split of a site.
func (d *Desk) People(ctx context.Context, s Split) ([]NewPerson, error) {
	all, err := people(ctx, d.DB, s)
	if err != nil {
		return nil, fmt.Errorf("read the people of a split: %w", err)
	}
	return all, nil
}

// Cancel calls a split off: the login goes on. What was asked of the account manager stays
// asked. fault.NotFound for a login of another site.
func (d *Desk) Cancel(ctx context.Context, by authority.Bearer, who id.User, which id.Split) (refused Refused, err error) {
	err = d.DB.Do(ctx, func(tx *db.Tx) error {
		refused, err = d.cancel(ctx, tx, by, who, which)
		return err
	})
	return refused, err
}

func (d *Desk) cancel(ctx context.Context, tx *db.Tx, by authority.Bearer, who id.User, which id.Split) (Refused, error) {
	at, l, refused, err := d.mayChange(ctx, tx, by, who)
	switch {
	case err != nil:
		return "", err
	case l.Split.ID != which:
		return Over, nil
	case refused != "":
		return refused, nil
	}
	err = endSplit(ctx, tx, l.Split, cancelled, by.User.ID)
	if errors.Is(err, fault.Conflict) {
		return Over, nil
	}
	if err != nil {
		return "", fmt.Errorf("cancel a split: %w", err)
	}
	u, err := user.ByID(ctx, tx, who)
	if err != nil {
		return "", fmt.Errorf("find a user: %w", err)
	}
	if err := d.tellAll(ctx, tx, message.Notice{Site: at, Kind: message.SplitCancelled, Words: map[string]string{
		"who": l.Name(), "by": by.User.Name(),
	}}, u, by.User.ID); err != nil {
		return "", err
	}
	return "", audit.Record(ctx, tx, audit.Event{
		Kind: audit.SplitCancelled, Actor: by.Actor(), User: who, Site: at, Facts: map[string]string{"split": string(which)},
	})
}
