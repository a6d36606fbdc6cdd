package settings

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"time"

	"keyturn/internal/locale"
	"keyturn/internal/member"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/web"
	"keyturn/internal/web/reason"
)

// usersShown is how many members a page of the list has.
const usersShown = 50

// Users answers "GET /sites/{site}/settings/users".
func (s *Settings) Users() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		q := web.ReadQuery(r)
		f := member.Filter{Find: q.Get("find"), After: cursorOf(q.Get("after"))}
		if g := policy.Group(q.Get("group")); slices.Contains(site.Groups(), g) {
			f.Group = g
		}
		if show := member.Show(q.Get("show")); show == member.NeedHelp || show == member.Inactives {
			f.Show = show
		}
		rows, more, err := s.Members.List(r.Context(), a.site.ID, f, usersShown)
		if err != nil {
			return err
		}
		now := s.DB.Clock.Now()
		page := UsersPage{
			Site: a.site.Name, Path: a.path, Find: f.Find, Group: string(f.Group),
			Filtered: f.Find != "" || f.Group != "" || f.Show != "",
		}
		page.Groups = append(page.Groups, Pick{Words: locale.Say(locale.UsersAnyGroup), On: f.Group == ""})
		for _, g := range site.Groups() {
			page.Groups = append(page.Groups, Pick{Value: string(g), Words: string(g), On: g == f.Group})
		}
		page.Shows = chips(a.path, f)
		for _, row := range rows {
			page.Rows = append(page.Rows, userRow(a, row, now))
		}
		if more {
			page.Next = listPath(a.path, f, rows[len(rows)-1].Cursor)
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func chips(path string, f member.Filter) []Chip {
	words := map[member.Show]string{
		member.Everyone: locale.Say(locale.UsersEveryone), member.NeedHelp: locale.Say(locale.UsersNeedHelp),
		member.Inactives: locale.Say(locale.UsersInactives),
	}
	var all []Chip
	for _, show := range []member.Show{member.Everyone, member.NeedHelp, member.Inactives} {
		other := f
		other.Show = show
		c := Chip{Href: listPath(path, other, member.Cursor{}), Words: words[show], On: show == f.Show}
		if show == member.NeedHelp {
			c.Look = "help"
		}
		all = append(all, c)
	}
	return all
}

// listPath is the address of a list.
func listPath(path string, f member.Filter, after member.Cursor) string {
	q := url.Values{}
	for name, value := range map[string]string{"find": f.Find, "group": string(f.Group), "show": string(f.Show)} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if after.ID != "" {
		text, err := json.Marshal(after)
		if err == nil {
			q.Set("after", base64.RawURLEncoding.EncodeToString(text))
		}
	}
	if len(q) == 0 {
		return path + "/users"
	}
	return path + "/users?" + q.Encode()
}

// cursorOf reads a cursor; one that is none starts at the beginning.
func cursorOf(text string) (c member.Cursor) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(raw, &c) != nil || !web.IsText(c.First+c.Last+c.ID) {
		return member.Cursor{}
	}
	return c
}

func userRow(a admin, row member.Row, now time.Time) UserRow {
	one := UserRow{
		Href: a.path + "/users/" + string(row.User.ID), Name: row.User.Name(), Place: placeWords(row.Member),
		Email: string(row.User.Login), Mobile: row.Mobile, TwoFA: twoFAWords(row, a.site.Zone, now),
		Last: locale.Say(locale.UsersNever),
	}
	if !row.LastAt.IsZero() {
		one.Last = locale.Moment(row.LastAt, a.site.Zone, now)
	}
	one.Mark, one.Why = markWords(row)
	return one
}

// placeWords say what a member is: the group, and what is special.
func placeWords(m site.Membership) string {
	switch {
	case m.Status == policy.Blocked:
		return locale.Say(locale.UsersPlaceBlocked, locale.Data{"Group": string(m.Group)})
	case m.Status != policy.Active:
		return locale.Say(locale.UsersPlaceInactive, locale.Data{"Group": string(m.Group)})
	case m.Kind == policy.Mobile:
		return locale.Say(locale.UsersPlaceMobile, locale.Data{"Group": string(m.Group)})
	}
	return string(m.Group)
}

// twoFAWords say whether a member is asked for 2FA here, by the policy.
func twoFAWords(row member.Row, zone *time.Location, now time.Time) string {
	if row.Readiness.Mark == policy.Exempt {
		return locale.Say(locale.UsersNotAsked)
	}
	if required, _ := policy.Required(row.Facts, now); required {
		return locale.Say(locale.UsersOn)
	}
	for _, r := range policy.Decide(row.Facts, now).Reasons {
		if r.Key == policy.DateToCome {
			return locale.Say(locale.UsersFrom, locale.Data{"Day": locale.Day(r.Until, zone)})
		}
	}
	return locale.Say(locale.UsersOff)
}

// markWords are the mark of readiness and its reason, by the policy.
func markWords(row member.Row) (Mark, string) {
	switch row.Readiness.Mark {
	case policy.Ready:
		return Mark{"ready", locale.Say(locale.UsersReady)}, ""
	case policy.WillManage:
		if len(row.Facts.Memberships) > 0 && row.Facts.Memberships[0].LoneAdmin {
			return Mark{"manage", locale.Say(locale.UsersWillManage)}, locale.Say(locale.UsersWhyLone)
		}
		return Mark{"manage", locale.Say(locale.UsersWillManage)}, locale.Say(locale.UsersWhyUntried)
	case policy.NeedsHelp:
		return Mark{"help", locale.Say(locale.UsersNeedsHelp)}, lack(row.Readiness.Decision.NotOffered)
	case policy.Exempt:
	}
	return Mark{"none", locale.Say(locale.UsersNotAsked)}, ""
}

// lack is what stands in the way of the way that an admin can mend first.
func lack(all []policy.Withheld) string {
	if said := reason.Lacks(all); len(said) > 0 {
		return said[0]
	}
	return locale.Say(locale.UsersWhyNothing)
}
