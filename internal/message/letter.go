package message

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"strings"
	"time"
	"unicode"

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
	Code    string
	Then    string
	Facts   []fact
	Caution string
	Nobody  string
	Closing string
}

type fact struct{ What, Which string }

// letter puts a message into words, and gives its code. The code is opened here and
// nowhere else.
func (p *Post) letter(m Message) (Letter, string, error) {
	plain, err := p.Keys.Open(place(m), m.sealed)
	if err != nil {
		return Letter{}, "", fmt.Errorf("open a sealed code: %w", err)
	}
	says, err := codePage(m, string(plain))
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
	}, string(plain), nil
}

func (s page) sender(m Message) string {
	return locale.Say(locale.MailSender, locale.Data{"From": oneLine(m.Words.From)})
}

func codePage(m Message, code string) (page, error) {
	zone, err := time.LoadLocation(m.Words.Zone)
	if err != nil {
		return page{}, fmt.Errorf("the time zone of a message: %w", err)
	}
	from, until := oneLine(m.Words.From), locale.Clock(m.ExpiresAt, zone)
	shown := grouped(code)
	s := page{
		Lang:    locale.Lang,
		Subject: locale.Say(locale.MailCodeSubject, locale.Data{"Code": shown, "From": from}),
		Hello:   locale.Say(locale.MailCodeHello),
		Code:    shown,
		Then:    locale.Say(locale.MailCodeThen, locale.Data{"Until": until}),
		Facts: []fact{
			{locale.Say(locale.MailFactAsked), locale.Exact(m.CreatedAt, zone, m.CreatedAt)},
			{locale.Say(locale.MailFactReference), locale.Say(locale.MailFactReferenceIs, locale.Data{"Reference": m.Reference})},
		},
		Caution: locale.Say(locale.MailCaution),
		Nobody:  locale.Say(locale.MailNobody),
		Closing: locale.Say(locale.MailClosing, locale.Data{"From": from, "Vendor": oneLine(m.Words.Vendor)}),
	}
	if name := oneLine(m.Words.FirstName); name != "" {
		s.Hello = locale.Say(locale.MailCodeHelloName, locale.Data{"Name": name})
	}
	if agent := oneLine(m.Words.Agent); agent != "" {
		s.Facts = append(s.Facts[:1], append([]fact{{locale.Say(locale.MailFactFrom), agent}}, s.Facts[1:]...)...)
	}
	if helper := oneLine(m.Words.Helper); helper != "" {
		s.Caution = locale.Say(locale.MailCautionHelper, locale.Data{"Who": helper, "From": from})
	}
	return s, nil
}

// text is the plain form of the same words.
func (s page) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n    %s\n\n%s\n\n", s.Hello, s.Code, s.Then)
	for _, f := range s.Facts {
		fmt.Fprintf(&b, "%s: %s\n", f.What, f.Which)
	}
	fmt.Fprintf(&b, "\n%s\n\n%s\n\n%s\n", s.Caution, s.Nobody, s.Closing)
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
