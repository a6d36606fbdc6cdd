package mail

import (
	"net/textproto"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestReasons(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		at    stage
		code  int
		msg   string
		want  Reason
		final bool
	}{
		"unknown address":               {stageRcpt, 550, "5.1.1 no such user", NoSuchMailbox, true},
		"unknown address, code alone":   {stageRcpt, 550, "no such user", NoSuchMailbox, false},
		"a domain without mail":         {stageRcpt, 556, "5.1.10 null MX", NoSuchMailbox, true},
		"mailbox moved":                 {stageRcpt, 551, "5.1.6 moved", NoSuchMailbox, true},
		"mailbox disabled":              {stageRcpt, 550, "5.2.1 disabled", NoSuchMailbox, true},
		"too much mail just now":        {stageRcpt, 450, "4.2.1 rate", Other, false},
		"address not looked up":         {stageRcpt, 451, "4.1.1 try later", Other, false},
		"mailbox full":                  {stageRcpt, 552, "5.2.2 full", MailboxFull, true},
		"mailbox full, code alone":      {stageAnswer, 552, "full", MailboxFull, true},
		"mailbox full for now":          {stageRcpt, 452, "4.2.2 full", MailboxFull, false},
		"relay out of space":            {stageMail, 452, "4.3.1 disk", RelayDown, false},
		"relay shutting down":           {stageMail, 421, "4.3.2 bye", RelayDown, false},
		"letter too big":                {stageAnswer, 552, "5.3.4 too big", Other, true},
		"policy":                        {stageRcpt, 550, "5.7.1 relaying denied", Blocked, false},
		"spam, code alone":              {stageAnswer, 554, "spam", Blocked, false},
		"spam with 550":                 {stageAnswer, 550, "spam", Blocked, false},
		"an unknown sender":             {stageMail, 550, "5.1.8 who?", Blocked, false},
		"a sender refused, code alone":  {stageMail, 550, "no", Blocked, false},
		"a sender refused at RCPT":      {stageRcpt, 550, "5.1.8 who?", Blocked, false},
		"authentication wanted":         {stageRcpt, 530, "5.7.0 log in", Auth, false},
		"wrong password":                {stageAuth, 535, "5.7.8 no", Auth, false},
		"no authentication just now":    {stageAuth, 454, "4.7.0 later", Auth, false},
		"no TLS just now":               {stageTLS, 454, "4.7.0 later", TLS, false},
		"no service":                    {stageGreet, 554, "no service", RelayDown, false},
		"a status of another class":     {stageRcpt, 550, "4.2.2 odd", NoSuchMailbox, false},
		"a status that says nothing":    {stageRcpt, 550, "5.0.0 no", NoSuchMailbox, false},
		"content":                       {stageAnswer, 554, "5.6.1 media", Other, true},
		"greylisted, code alone":        {stageRcpt, 450, "later", Other, false},
		"mailbox full in an older code": {stageRcpt, 422, "full", MailboxFull, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := judge(first, c.at, &textproto.Error{Code: c.code, Msg: c.msg})
			if r.Reason != c.want || r.Code != c.code || r.Permanent != (c.code >= 500) {
				t.Errorf("got %+v, want %s", r, c.want)
			}
			if isFinal(c.at, r) != c.final {
				t.Errorf("final: got %t", isFinal(c.at, r))
			}
		})
	}
}

func TestAServersWordsAreFitToBeShown(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ msg, status, text string }{
		"several lines":             {"5.1.1 No such user.\n5.1.1 See https://x.example", "5.1.1", "No such user. See https://x.example"},
		"control characters":        {"5.1.1 a\x1b[31m\tb\x00c", "5.1.1", "a [31m b c"},
		"right to left":             {"a\u202eb\u200fc", "", "a b c"},
		"broken UTF-8":              {"a\xffb", "", "a b"},
		"a code that it quotes":     {"spam: Your code is 482913, or 482 913, or 48-29-13", "", "spam: Your code is …, or …, or …"},
		"numbers that are no code":  {"host 10.0.0.25 said 550 twice", "", "host 10.0.0.25 said 550 twice"},
		"a status and nothing else": {"5.2.2", "5.2.2", ""},
		"a status inside the words": {"see 5.2.2 there", "", "see 5.2.2 there"},
		"too long":                  {strings.Repeat("é", 300), "", strings.Repeat("é", 100)},
		"too long, at an odd place": {"x" + strings.Repeat("é", 300), "", "x" + strings.Repeat("é", 99)},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if status, text := words(550, c.msg); status != c.status || text != c.text {
				t.Errorf("got %q, %q", status, text)
			}
		})
	}
}

func FuzzWords(f *testing.F) {
	f.Add(550, "5.1.1 no such user\n5.1.1 here")
	f.Add(421, strings.Repeat("\xffé\u2028", 99))
	f.Fuzz(func(t *testing.T, code int, msg string) {
		_, text := words(code, msg)
		if len(text) > maxText || !utf8.ValidString(text) || strings.ContainsFunc(text, isControl) {
			t.Errorf("got %q", text)
		}
		if digits.MatchString(text) {
			t.Errorf("%q could show a code", text)
		}
	})
}
