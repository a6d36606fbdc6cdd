package api

import (
	"cmp"
	"net/http"
	"time"

	"keyturn/internal/member"
)

// refusal is why nothing was done to a member.
type refusal struct {
	why    member.Refused
	words  string
	doubts []member.Doubt
	wait   time.Duration
}

// refused are the statuses and the words of refusals, by their stable words, which are the
// codes. What has no line here is answered like a call that came too late.
var refused = map[member.Refused]struct {
	status int
	words  string
}{
	member.AboveRank:        {http.StatusConflict, "The member is an Admin, or would become one. Admins are left to the site's other Admins, and asked for with a request."},
	member.Elsewhere:        {http.StatusConflict, "The user is a member elsewhere too, or the vendor's staff: email, mobile and name are theirs to change."},
	member.LastAdmin:        {http.StatusConflict, "The site would be left without an active Admin in its office."},
	member.EndlessAdmin:     {http.StatusConflict, "The access of an Admin has no end."},
	member.NotYetAdmin:      {http.StatusConflict, "Nobody becomes an Admin before they have signed in."},
	member.Changed:          {http.StatusPreconditionFailed, "It was changed meanwhile; read it again."},
	member.NoEmail:          {http.StatusUnprocessableEntity, "There has to be an email address."},
	member.BadEmail:         {http.StatusUnprocessableEntity, "This is no email address."},
	member.BadMobile:        {http.StatusUnprocessableEntity, "Codes cannot go to this number."},
	member.BadName:          {http.StatusUnprocessableEntity, "There has to be a first or last name, in one line that can be read."},
	member.BadChoice:        {http.StatusUnprocessableEntity, "The group, kind or status is none that there is."},
	member.BadRef:           {http.StatusUnprocessableEntity, "A reference is up to 64 characters that can be seen, without spaces around them."},
	member.CannotUse:        {http.StatusConflict, "The address cannot be a login name here. If it is somebody's who should have a place here, ask for them with a request."},
	member.TakenHere:        {http.StatusConflict, "Another member of this site signs in with the address."},
	member.RefTaken:         {http.StatusConflict, "The site has a member of this reference."},
	member.AskForAdmin:      {http.StatusConflict, "An Admin of a site that has members is asked for with a request, which two of the vendor's staff approve."},
	member.NoLess:           {http.StatusConflict, "A program takes no requirement of 2FA from a member; an Admin does."},
	member.Doubtful:         {http.StatusConflict, "It is allowed and probably not meant; see doubts. Send it again with \"sure\": true to have it all the same."},
	member.WhichPerson:      {http.StatusConflict, "Name and email change: say \"same_person\": true if it is still the same person. Otherwise say that this one has left, and add the other."},
	member.AccessOver:       {http.StatusConflict, "The access had an end, which is over: ask for the member with a request."},
	member.Replaced:         {http.StatusConflict, "Somebody else has taken the member's place."},
	member.TooManyAddresses: {http.StatusTooManyRequests, "Too many addresses were tried at this site; see Retry-After."},
	member.TooManyLogins:    {http.StatusTooManyRequests, "Too many login names were changed; see Retry-After."},
}

// problem is the refusal as the caller reads it; nil if there is none.
func (r refusal) problem() *Problem {
	if r.why == "" {
		return nil
	}
	is, known := refused[r.why]
	if !known {
		is.status, is.words = http.StatusConflict, "It cannot be done now; read it again."
	}
	p := coded(is.status, string(r.why), cmp.Or(r.words, is.words))
	p.wait = max(r.wait, 0)
	for _, d := range r.doubts {
		p.Doubts = append(p.Doubts, string(d))
	}
	return p
}
