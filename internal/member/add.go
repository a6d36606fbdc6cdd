package member

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"keyturn/internal/address"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/limit"
	"keyturn/internal/phone"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// New is somebody new, as a program of the vendor's tells of them.
type New struct {
	// UserRef is the host product's own reference of the membership.
	UserRef                    string
	Email, Mobile, First, Last string
	Group                      policy.Group
	Kind                       policy.Kind
	SalesDashboard             bool
	BusinessIntelligence       bool
	// Sure says that the address is right although it looks like a slip or like nobody's own.
	Sure bool
}

// Added is what came of it.
type Added struct {
	Refused Refused
	// Why is a sentence, of BadEmail and BadMobile.
	Why string
	// Doubts are what speaks against the address, of Doubtful.
	Doubts []Doubt
	Retry  time.Time
	// User is who was made.
	User id.User
}

// refMost is how long a reference of the host product is, in characters: as an import has it.
const refMost = 64

// Dead says whether no mail can reach an address for the sake of its domain. It may take
// seconds, and is asked before a transaction.
func (d *Desk) Dead(ctx context.Context, typed string) bool {
	to, err := address.Email(typed)
	return err == nil && d.Domains.Dead(ctx, to)
}

// AddIn makes a user of a program's, with a place in the site and the link for a first
// password, in the transaction of another change. Nobody is merged: an address that
// somebody has or is kept for somebody is CannotUse, and the site asks for that person.
//
// Nobody becomes an Admin by it, but for the first member of a site that never had one:
// somebody has to begin. fault.Conflict, with which the transaction must end, if somebody
// else was quicker.
func (d *Desk) AddIn(ctx context.Context, tx *db.Tx, by authority.Bearer, n New, dead bool) (Added, error) {
	m, err := manager(ctx, tx, by)
	if err != nil {
		return Added{}, err
	}
	at, err := site.ByID(ctx, tx, m.Site)
	if err != nil {
		return Added{}, fmt.Errorf("find a site: %w", err)
	}
	who, mobile, added := d.readNew(at, &n, dead)
	if added.Refused != "" {
		return added, nil
	}
	if refused, err := mayAdd(ctx, tx, at.ID, n); err != nil || refused != "" {
		return Added{Refused: refused}, err
	}
	answer, err := limit.Take(ctx, tx, lookingUp(by, m))
	if err != nil || !answer.OK {
		return Added{Refused: TooManyAddresses, Retry: answer.Retry}, err
	}
	if free, err := user.Free(ctx, tx, tx.Now, "", who.Login); err != nil || !free {
		return Added{Refused: CannotUse}, err
	}
	if who, err = user.Add(ctx, tx, who); err != nil {
		return Added{}, err
	}
	place := site.Membership{
		Site: at.ID, User: who.ID, UserRef: n.UserRef, Group: n.Group, Kind: n.Kind, Status: policy.Active,
		SalesDashboard: n.SalesDashboard, BusinessIntelligence: n.BusinessIntelligence,
	}
	return Added{User: who.ID}, d.settle(ctx, tx, arrival{by: by, at: at, user: who, place: place, mobile: mobile})
}

// mayAdd asks whether the site can have somebody new under the reference and in the group.
func mayAdd(ctx context.Context, tx *db.Tx, at id.Site, n New) (Refused, error) {
	_, err := site.MembershipByRef(ctx, tx, at, n.UserRef)
	if err == nil {
		return RefTaken, nil
	}
	if !errors.Is(err, fault.NotFound) {
		return "", fmt.Errorf("look for a reference: %w", err)
	}
	if n.Group != policy.GroupAdmin {
		return "", nil
	}
	there, err := hasMembers(ctx, tx, at)
	if err != nil {
		return "", fmt.Errorf("look for a site's members: %w", err)
	}
	if there || n.Kind == policy.Mobile {
		return AskForAdmin, nil
	}
	return "", nil
}

// readNew reads what is said of somebody new. It looks nothing up.
func (d *Desk) readNew(at site.Site, n *New, dead bool) (who user.User, mobile string, a Added) {
	f := Form{Group: n.Group, Kind: n.Kind, Status: policy.Active}
	first, ok1 := readName(n.First)
	last, ok2 := readName(n.Last)
	to, err := address.Email(n.Email)
	switch {
	case !isRef(n.UserRef):
		a.Refused = BadRef
	case !f.known():
		a.Refused = BadChoice
	case !ok1 || !ok2 || first+last == "":
		a.Refused = BadName
	case err != nil:
		a.Refused, a.Why = BadEmail, sentence(err)
	case dead || !address.IsDeliverable(to):
		a.Refused = CannotUse
	}
	if a.Refused != "" {
		return who, "", a
	}
	if digits(n.Mobile) != "" {
		if mobile, err = phone.Mobile(n.Mobile, at.Region, d.Countries); err != nil {
			return who, "", Added{Refused: BadMobile, Why: sentence(err)}
		}
	}
	if doubts, _ := doubtsOf(to); len(doubts) > 0 && !n.Sure {
		return who, "", Added{Refused: Doubtful, Doubts: doubts}
	}
	return user.User{Login: to, FirstName: first, LastName: last}, mobile, a
}

// isRef says whether a text can be a reference of the host product: letters that can be
// seen, without spaces around them.
func isRef(ref string) bool {
	return ref != "" && utf8.ValidString(ref) && utf8.RuneCountInString(ref) <= refMost && strings.TrimSpace(ref) == ref &&
		!strings.ContainsFunc(ref, func(c rune) bool { return !unicode.IsGraphic(c) || c == utf8.RuneError })
}
