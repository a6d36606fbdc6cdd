package rollout

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/calendar"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/user"
)

// Order is a draft of a rollout: what is typed.
type Order struct {
	// Name is 1 to 80 characters, Owner the login name of a member of staff.
	Name, Owner string
	// Tolerance is the brake's, 1 to 10 of a hundred sign-ins; 0 stands for the usual 2.
	Tolerance int
	// Waves are 1 to 20, in their order, with ascending days. Their numbers are not read.
	Waves []Wave
}

const (
	nameMost = 80
	// listMost bounds the list of a wave, in bytes: some 3,000 references.
	listMost = 64 << 10
)

// Save stores a draft in place of the one before. It changes nothing at any site. A day may
// be anything but a Friday, a Saturday or a Sunday; a site that is closed on it has the
// next one on which it is open.
//
// fault.NotFound for whoever is not staff.
func (d *Desk) Save(ctx context.Context, by By, o Order) (refused Refused, err error) {
	all, refused := o.waves(calendar.On(d.DB.Clock.Now(), time.UTC))
	name := strings.Join(strings.Fields(o.Name), " ")
	if n := utf8.RuneCountInString(name); n < 1 || n > nameMost {
		refused = NoName
	}
	if o.Tolerance < 0 || o.Tolerance > MostTolerance {
		refused = WrongTolerance
	}
	if refused != "" {
		return refused, nil
	}
	if strange, err := Strangers(ctx, d.DB, all); err != nil || len(strange) > 0 {
		return NoSuchSite, err
	}
	return d.do(ctx, by, false, func(tx *db.Tx) (Refused, error) {
		owner, err := staffBy(ctx, tx, o.Owner)
		if errors.Is(err, fault.NotFound) {
			return NoOwner, nil
		}
		if err != nil {
			return "", err
		}
		return saveDraft(ctx, tx, by, Rollout{Name: name, Owner: owner, State: Draft, Tolerance: o.Tolerance, Waves: all})
	})
}

// Strangers are the references in the lists of waves that no site has, sorted: a
// site that was mistyped would be asked in no wave, and nobody would see it.
func Strangers(ctx context.Context, from db.Reader, waves []Wave) (strange []string, err error) {
	var named []string
	for _, w := range waves {
		if w.Pick.By == ByList {
			pick, _ := w.Pick.clean()
			named = append(named, strings.Fields(pick.Value)...)
		}
	}
	if len(named) == 0 {
		return nil, nil
	}
	all, err := refs(ctx, from)
	if err != nil {
		return nil, fmt.Errorf("read the references of sites: %w", err)
	}
	there := make(map[string]bool, len(all))
	for _, ref := range all {
		there[ref] = true
	}
	for _, ref := range named {
		if !there[ref] {
			strange = append(strange, ref)
		}
	}
	slices.Sort(strange)
	return slices.Compact(strange), nil
}

func saveDraft(ctx context.Context, tx *db.Tx, by By, r Rollout) (Refused, error) {
	before, err := take(ctx, tx)
	switch {
	case errors.Is(err, fault.NotFound):
		r.ID, r.MadeAt = id.New[id.Rollout](), tx.Now
		err = insert(ctx, tx, r)
	case err != nil:
	case before.State != Draft:
		return Busy, nil
	default:
		r.ID = before.ID
		err = rename(ctx, tx, r)
	}
	if err != nil {
		return "", fmt.Errorf("store a rollout: %w", err)
	}
	if err := replaceWaves(ctx, tx, r.ID, r.Waves); err != nil {
		return "", fmt.Errorf("store the waves of a rollout: %w", err)
	}
	return "", note(ctx, tx, audit.RolloutPlanned, by.actor(), r.ID, map[string]string{"waves": strconv.Itoa(len(r.Waves))})
}

// Discard removes the draft.
func (d *Desk) Discard(ctx context.Context, by By) (Refused, error) {
	return d.do(ctx, by, false, func(tx *db.Tx) (Refused, error) {
		r, err := take(ctx, tx)
		if errors.Is(err, fault.NotFound) || err == nil && r.State != Draft {
			return WrongState, nil
		}
		if err != nil {
			return "", fmt.Errorf("find the draft: %w", err)
		}
		return "", dropDraft(ctx, tx, r.ID)
	})
}

// note records what is done with a rollout in the chain of the house.
func note(ctx context.Context, tx *db.Tx, kind audit.Kind, by audit.Actor, which id.Rollout, facts map[string]string) error {
	if facts == nil {
		facts = map[string]string{}
	}
	facts["rollout"] = string(which)
	return audit.Record(ctx, tx, audit.Event{Kind: kind, Actor: by, Facts: facts})
}

// staffBy finds a member of staff by their login name.
func staffBy(ctx context.Context, from db.Reader, login string) (id.User, error) {
	name, err := address.Login(login)
	if err != nil {
		return "", fmt.Errorf("a member of staff: %w", fault.NotFound)
	}
	who, err := user.ByLogin(ctx, from, name)
	if err != nil {
		return "", err
	}
	if !who.Staff {
		return "", fmt.Errorf("a member of staff: %w", fault.NotFound)
	}
	return who.ID, nil
}

// waves judges what was typed of the waves.
func (o Order) waves(today calendar.Day) ([]Wave, Refused) {
	if len(o.Waves) == 0 || len(o.Waves) > MostWaves {
		return nil, NoWaves
	}
	all := slices.Clone(o.Waves)
	for i := range all {
		w := &all[i]
		w.Number, w.State = i+1, Planned
		w.Name = strings.Join(strings.Fields(w.Name), " ")
		if w.Name == "" {
			w.Name = strconv.Itoa(w.Number)
		}
		var fits bool
		if w.Pick, fits = w.Pick.clean(); !fits || utf8.RuneCountInString(w.Name) > nameMost {
			return nil, WrongPick
		}
		if refused := fit(w.Day, today); refused != "" {
			return nil, refused
		}
		if i > 0 && !w.Day.After(all[i-1].Day) {
			return nil, WrongDay
		}
	}
	return all, ""
}

// fit says whether a wave may have a day.
func fit(d, today calendar.Day) Refused {
	switch {
	case d.IsZero(), d.Before(today.Add(LeastNotice)), today.Until(d) > 3*366:
		return WrongDay
	case !(calendar.Rules{}).Allows(d):
		return BadDay
	}
	return ""
}

// clean gives a pick in its one form; false if there is none.
func (p Pick) clean() (Pick, bool) {
	p.Value = strings.Join(strings.Fields(strings.ReplaceAll(p.Value, ",", " ")), " ")
	switch p.By {
	case ByList:
		return p, p.Value != "" && len(p.Value) <= listMost
	case ByRegion:
		p.Value = strings.ToUpper(p.Value)
		return p, slices.Contains(calendar.Regions, p.Value)
	case ByManager:
		name, err := address.Email(p.Value)
		p.Value = string(name)
		return p, err == nil
	case ByShare, ByReadiness:
		n, err := strconv.Atoi(p.Value)
		return p, err == nil && n >= 1 && n <= 100
	}
	return p, false
}

// picked is what picks look at.
type picked struct {
	site         id.Site
	ref, region  string
	manager      string
	ready, whole int // of its office people
}

// picker says which wave a site belongs to.
type picker struct {
	waves []Wave
	lists []map[string]bool
}

func newPicker(waves []Wave) picker {
	p := picker{waves: waves, lists: make([]map[string]bool, len(waves))}
	for i, w := range waves {
		if w.Pick.By != ByList {
			continue
		}
		p.lists[i] = map[string]bool{}
		for ref := range strings.FieldsSeq(w.Pick.Value) {
			p.lists[i][ref] = true
		}
	}
	return p
}

// wave is the number of the first wave that picks a site; 0 if none does.
func (p picker) wave(s picked) int {
	for i, w := range p.waves {
		if p.picks(i, w, s) {
			return w.Number
		}
	}
	return 0
}

func (p picker) picks(i int, w Wave, s picked) bool {
	number, _ := strconv.Atoi(w.Pick.Value) // 0 where the value is no number
	switch w.Pick.By {
	case ByList:
		return p.lists[i][s.ref]
	case ByRegion:
		return s.region == w.Pick.Value
	case ByManager:
		return strings.EqualFold(s.manager, w.Pick.Value)
	case ByShare:
		return chance(w.Number, s.site) < number
	case ByReadiness:
		return s.whole > 0 && s.ready*100 >= number*s.whole
	}
	return false
}

// chance is a number from 0 to 99 that a site always has in a wave, and that says nothing
// of the one it has in another.
func chance(wave int, at id.Site) int {
	h := fnv.New64a()
	_, _ = h.Write([]byte(strconv.Itoa(wave) + ":" + string(at))) // it never fails
	sum := h.Sum64()
	sum ^= sum >> 33 // the low bits of FNV alone are no good dice
	sum *= 0xff51afd7ed558ccd
	sum ^= sum >> 33
	return int(sum % 100)
}
