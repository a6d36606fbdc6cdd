package message

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"keyturn/internal/fault"
	"keyturn/internal/locale"
)

//go:embed letter.html
var letterFiles embed.FS

// sheet is the one form of our mails.
var sheet = template.Must(template.ParseFS(letterFiles, "letter.html"))

// page is what a mail says, once, for both of its forms.
type page struct {
	Lang    string
	Subject string
	Hello   string
	// Code is what to type, Link what to open, Items what happened: one of the three.
	Code    string
	Link    string
	Items   []item
	Then    string
	Facts   []fact
	Caution string
	Nobody  string
	Closing string
}

type fact struct{ What, Which string }

// item is one thing that happened: when, what, what to do about it, and the page where it
// can be looked at. Note is a text that is kept as it is, line by line.
type item struct{ At, What, Then, Link, Note string }

// letter puts a message into words, and gives its secret. That is opened here and for an
// SMS, and nowhere else. What can never be sent is fault.Invalid.
func (p *Post) letter(ctx context.Context, out Carriers, m Message) (Letter, string, error) {
	plain, err := p.open(m)
	if err != nil {
		return Letter{}, "", err
	}
	says, err := p.pageOf(ctx, out, m, plain)
	if err != nil {
		return Letter{}, "", err
	}
	var html bytes.Buffer
	if err := sheet.Execute(&html, says); err != nil {
		return Letter{}, "", fmt.Errorf("write a mail: %w", err)
	}
	return Letter{
		Key: string(m.ID), To: m.Address, FromName: says.sender(m), Subject: says.Subject,
		Text: says.text(), HTML: html.String(), Auto: true, Deadline: m.ExpiresAt,
	}, plain, nil
}

// open gives a message's secret; empty where it has none.
func (p *Post) open(m Message) (string, error) {
	if m.sealed == nil {
		if m.Kind == NoticeMail {
			return "", nil
		}
		return "", fmt.Errorf("a message without its code: %w", fault.Invalid)
	}
	plain, err := p.Keys.Open(place(m), m.sealed)
	if err != nil {
		return "", fmt.Errorf("open a sealed code: %w", err)
	}
	return string(plain), nil
}

// text puts a message into the words of an SMS, and gives its secret.
func (p *Post) text(ctx context.Context, out Carriers, m Message) (body, plain string, err error) {
	if plain, err = p.open(m); err != nil {
		return "", "", err
	}
	var s script
	switch m.Kind {
	case SignInCode, ProveCode, TestCode:
		s, err = codeScript(m, plain, out.host())
	case RecoveryStop:
		var to string
		if to, err = link(out.LinkBase, m.Kind, plain); err == nil {
			s = stopScript(m, to)
		}
	case NoticeMail:
		var all []told
		if all, err = carried(ctx, p.DB, m); err == nil {
			s, err = noticeScript(m.Words, all)
		}
	case ResetLink, LoginUndo, InvitationLink:
		err = fmt.Errorf("a link for a password or a login name goes by mail: %w", fault.Invalid)
	default:
		err = fmt.Errorf("an SMS of an unknown kind: %w", fault.Invalid)
	}
	if err != nil {
		return "", plain, err
	}
	body, ok := s.body()
	if !ok {
		return "", plain, fmt.Errorf("an SMS that does not fit into one part: %w", fault.Invalid)
	}
	return body, plain, nil
}

func (p *Post) pageOf(ctx context.Context, out Carriers, m Message, plain string) (page, error) {
	zone, err := time.LoadLocation(m.Words.Zone)
	if err != nil {
		return page{}, fmt.Errorf("the time zone of a message: %w", err)
	}
	switch m.Kind {
	case SignInCode, ProveCode, TestCode:
		return codePage(m, plain, zone), nil
	case ResetLink, RecoveryStop, LoginUndo, InvitationLink:
		to, err := link(out.LinkBase, m.Kind, plain)
		if err != nil {
			return page{}, err
		}
		return linkPage(m, to, zone), nil
	case NoticeMail:
		all, err := carried(ctx, p.DB, m)
		if err != nil {
			return page{}, fmt.Errorf("read the notices of a mail: %w", err)
		}
		if len(all) == 0 {
			return page{}, fmt.Errorf("a notice of nothing: %w", fault.Invalid)
		}
		return noticePage(m, all, out.LinkBase, zone), nil
	}
	return page{}, fmt.Errorf("a mail of an unknown kind: %w", fault.Invalid)
}

func (s page) sender(m Message) string {
	return locale.Say(locale.MailSender, locale.Data{"From": oneLine(m.Words.From)})
}

// common is what every mail has.
func common(m Message) page {
	from, vendor := oneLine(m.Words.From), oneLine(m.Words.Vendor)
	closing := locale.Say(locale.MailClosing, locale.Data{"From": from, "Vendor": vendor})
	if from == vendor {
		closing = vendor
	}
	return page{Lang: locale.Lang, Closing: closing}
}

func codePage(m Message, code string, zone *time.Location) page {
	from, name := oneLine(m.Words.From), oneLine(m.Words.FirstName)
	shown := grouped(code)
	s := common(m)
	s.Code, s.Nobody = shown, locale.Say(locale.MailNobody)
	s.Then = locale.Say(locale.MailCodeThen, locale.Data{"Until": locale.Clock(m.ExpiresAt, zone)})
	switch m.Kind {
	case ProveCode:
		s.Subject = locale.Say(locale.MailProveSubject, locale.Data{"Code": shown, "From": from})
		s.Hello = hello(name, locale.MailProveHello, locale.MailProveHelloName)
		s.Caution = locale.Say(locale.MailProveCaution)
	case TestCode:
		s.Subject = locale.Say(locale.MailTestSubject, locale.Data{"Code": shown, "From": from})
		s.Hello = hello(name, locale.MailTestHello, locale.MailTestHelloName)
		s.Then = locale.Say(locale.MailTestThen, locale.Data{"From": from})
		s.Caution = locale.Say(locale.MailTestCaution, locale.Data{"From": from})
	case SignInCode, ResetLink, RecoveryStop, LoginUndo, InvitationLink, NoticeMail:
		s.Subject = locale.Say(locale.MailCodeSubject, locale.Data{"Code": shown, "From": from})
		s.Hello = hello(name, locale.MailCodeHello, locale.MailCodeHelloName)
		s.Caution = locale.Say(locale.MailCaution)
		if helper := oneLine(m.Words.Helper); helper != "" {
			s.Caution = locale.Say(locale.MailCautionHelper, locale.Data{"Who": helper, "From": from})
		}
	}
	s.Facts = facts(m, zone)
	return s
}

// linkPage is the mail of a secret link.
func linkPage(m Message, to string, zone *time.Location) page {
	from, name := oneLine(m.Words.From), oneLine(m.Words.FirstName)
	s := common(m)
	s.Link, s.Nobody = to, locale.Say(locale.MailLinkNobody)
	until := locale.Moment(m.ExpiresAt, zone, m.CreatedAt)
	switch m.Kind {
	case InvitationLink:
		words := locale.Data{"By": oneLine(m.Words.By), "From": from, "Group": oneLine(m.Words.Group)}
		s.Subject = locale.Say(locale.MailInviteSubject, locale.Data{"By": words["By"], "From": from})
		s.Hello = locale.Say(locale.MailInviteHello, words)
		if name != "" {
			words["Name"] = name
			s.Hello = locale.Say(locale.MailInviteHelloName, words)
		}
		s.Then = locale.Say(locale.MailInviteThen, locale.Data{"Until": until})
		s.Caution = locale.Say(locale.MailInviteCaution, locale.Data{"By": words["By"]})
	case RecoveryStop:
		s.Subject = locale.Say(locale.MailStopSubject, locale.Data{"From": from})
		s.Hello = hello(name, locale.MailStopHello, locale.MailStopHelloName)
		s.Then = locale.Say(locale.MailStopThen, locale.Data{"Until": until})
		s.Caution = locale.Say(locale.MailStopCaution)
	case LoginUndo:
		s.Subject = locale.Say(locale.MailUndoSubject, locale.Data{"From": from})
		s.Hello = hello(name, locale.MailUndoHello, locale.MailUndoHelloName)
		s.Then = locale.Say(locale.MailUndoThen, locale.Data{"Until": until})
		s.Caution = locale.Say(locale.MailUndoCaution)
	case ResetLink, SignInCode, ProveCode, TestCode, NoticeMail:
		s.Subject = locale.Say(locale.MailResetSubject, locale.Data{"From": from})
		s.Hello = hello(name, locale.MailResetHello, locale.MailResetHelloName)
		s.Then = locale.Say(locale.MailResetThen, locale.Data{"Until": until})
		s.Caution = locale.Say(locale.MailResetCaution)
	}
	s.Facts = facts(m, zone)
	return s
}

// noticePage is the mail that tells of all that happened since the last one.
func noticePage(m Message, all []told, base *url.URL, zone *time.Location) page {
	from := oneLine(m.Words.From)
	by := speaker{Words: m.Words, zone: zone, name: oneLine}
	s := common(m)
	s.Hello = hello(oneLine(m.Words.FirstName), locale.MailNoticeHello, locale.MailNoticeHelloName)
	s.Nobody = locale.Say(locale.MailNoticeNobody)
	s.Subject = locale.Say(locale.MailNoticeSubject, locale.Data{"Count": len(all), "From": from})
	several := severalSites(all)
	if len(all) == 1 || !aboutMe(all) {
		switch all[0].about() {
		case aboutSite:
			s.Subject = locale.Say(locale.MailNoticeSubjectSite, locale.Data{"From": from})
			if several {
				s.Subject = locale.Say(locale.MailNoticeSubjectSites)
			}
		case aboutHelp:
			s.Subject = locale.Say(locale.MailNoticeSubjectHelp, locale.Data{"From": from})
		case aboutRequest:
			s.Subject = locale.Say(locale.MailNoticeSubjectRequest, locale.Data{"From": from})
		case aboutStaff:
			s.Subject = locale.Say(locale.MailNoticeSubjectStaff, locale.Data{"From": from})
		case aboutReady:
			s.Subject = locale.Say(locale.MailNoticeSubjectReady, locale.Data{"From": from})
		case aboutYou:
		}
	}
	for _, n := range all {
		i := item{At: locale.Exact(n.MadeAt, zone, m.CreatedAt), What: by.what(n), Then: by.then(n)}
		if several && n.SiteName != "" {
			i.At = locale.Say(locale.MailNoticeAt, locale.Data{"Site": oneLine(n.SiteName), "At": i.At})
		}
		if n.Kind == TrailCheckpoint {
			i.Note = n.Words["note"]
		}
		if path := n.path(); path != "" && base != nil {
			i.Link = base.JoinPath(path).String()
		}
		s.Items = append(s.Items, i)
	}
	return s
}

// aboutMe says whether any of it is about the reader's own sign-in.
func aboutMe(all []told) bool {
	return slices.ContainsFunc(all, func(n told) bool { return n.about() == aboutYou })
}

func hello(name string, plain, named locale.Key) string {
	if name == "" {
		return locale.Say(plain)
	}
	return locale.Say(named, locale.Data{"Name": name})
}

// facts are when it was asked, from where, and the reference that the page shows, too.
func facts(m Message, zone *time.Location) []fact {
	all := []fact{{locale.Say(locale.MailFactAsked), locale.Exact(m.CreatedAt, zone, m.CreatedAt)}}
	if agent := oneLine(m.Words.Agent); agent != "" {
		all = append(all, fact{locale.Say(locale.MailFactFrom), agent})
	}
	if m.Reference == "" {
		return all
	}
	return append(all, fact{
		locale.Say(locale.MailFactReference),
		locale.Say(locale.MailFactReferenceIs, locale.Data{"Reference": m.Reference}),
	})
}

// text is the plain form of the same words.
func (s page) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", s.Hello)
	for _, i := range s.Items {
		fmt.Fprintf(&b, "%s\n%s\n%s\n", i.At, i.What, i.Then)
		if i.Link != "" {
			fmt.Fprintf(&b, "%s\n", i.Link)
		}
		if i.Note != "" {
			fmt.Fprintf(&b, "\n%s\n", strings.TrimSuffix(i.Note, "\n"))
		}
		b.WriteByte('\n')
	}
	if shown := firstOf(s.Code, s.Link); shown != "" {
		fmt.Fprintf(&b, "    %s\n\n", shown)
	}
	if s.Then != "" {
		fmt.Fprintf(&b, "%s\n\n", s.Then)
	}
	for _, f := range s.Facts {
		fmt.Fprintf(&b, "%s: %s\n", f.What, f.Which)
	}
	if len(s.Facts) > 0 {
		b.WriteByte('\n')
	}
	for _, last := range []string{s.Caution, s.Nobody} {
		if last != "" {
			fmt.Fprintf(&b, "%s\n\n", last)
		}
	}
	fmt.Fprintf(&b, "%s\n", s.Closing)
	return b.String()
}

// grouped writes six digits as people read them aloud: 482 913.
func grouped(code string) string {
	if len(code) != 6 {
		return code
	}
	return code[:3] + " " + code[3:]
}

// longestWord bounds what a name may add to a mail.
const longestWord = 80

// oneLine makes a name safe for a header and a sentence: control characters, line
// breaks and marks that turn the direction of writing are left out.
func oneLine(s string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), !unicode.IsPrint(r):
			return -1
		default:
			return r
		}
	}, s)
	clean = strings.Join(strings.Fields(clean), " ")
	if short := []rune(clean); len(short) > longestWord {
		clean = string(short[:longestWord])
	}
	return clean
}
