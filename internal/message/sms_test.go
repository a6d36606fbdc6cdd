package message

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestSeptetsCountTheAlphabetOfSMS(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"": 0, "abc": 3, "@£$": 3, "line\nbreak": 10, "[10€]": 8, "Δ is Greek": 10, "^{}\\[~]|€": 18, "çe": -1, "naïve": -1, "汉": -1, "`": -1, "\x1b": -1, "\t": -1,
	} {
		if n, ok := Septets(text); ok != (want >= 0) || ok && n != want {
			t.Errorf("%q takes %d septets, %v; want %d", text, n, ok, want)
		}
	}
	if n := strings.Count(basic, "") - 1; n != 127 { // 128 less the escape
		t.Errorf("the alphabet has %d characters", n)
	}
}

func TestANameIsWrittenAsNearAsTheAlphabetAllows(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Bayside Auto": "Bayside Auto", "Pärt & Söhne": "Pärt & Söhne", "Çelik Otomotiv": "Çelik Otomotiv", "Citroën Café": "Citroen Café",
		"Łódź Motors": "Lodz Motors", "O’Brien – “Cars”": "O'Brien - \"Cars\"", "汉字 Garage": "Garage", "汉字": "", "a\u202eb\r\nc": "ab c", "ﬁx": "fix",
	} {
		if got := Fit(oneLine(name), longestName); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
	if got := Fit("[[[[[", 5); got != "[[" {
		t.Errorf("two septets each: %q", got)
	}
}

var lastLine = regexp.MustCompile(`\n@([a-z0-9.-]+) #([0-9]{6})$`)

func TestEverySMSOfACodeIsOnePartAndEndsWithTheLineOfItsHost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		// Of the others a start is refused.
		host := rapid.StringMatching(`[a-z0-9-]{1,30}\.[a-z]{2,10}`).Filter(func(h string) bool { return CheckTemplates(h) == nil }).Draw(t, "host")
		m := Message{
			Kind:      rapid.SampledFrom([]Kind{SignInCode, ProveCode, TestCode}).Draw(t, "kind"),
			Words:     Words{From: rapid.String().Draw(t, "site"), Vendor: rapid.String().Draw(t, "vendor"), Zone: "Australia/Adelaide"},
			Reference: rapid.StringMatching(`[A-Z]{0,20}`).Draw(t, "reference"),
			ExpiresAt: time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "until"), 0),
		}
		code := rapid.StringMatching(`[0-9]{6}`).Draw(t, "code")
		s, err := codeScript(m, code, host)
		if err != nil {
			t.Fatal(err)
		}
		body, ok := s.body()
		n, plain := Septets(body)
		if !ok || !plain || n > onePart {
			t.Fatalf("%d septets, %v %v: %q", n, ok, plain, body)
		}
		found := lastLine.FindStringSubmatch(body)
		if found == nil || found[1] != host || found[2] != code {
			t.Fatalf("the last line: %q", body)
		}
		if sentence, _, _ := strings.Cut(body, "\n"); !strings.HasPrefix(sentence, code+" ") || strings.Count(body, "\n") != 1 {
			t.Fatalf("the sentence: %q", body)
		}
	})
}

func TestEveryNoticeBySMSIsOnePartWithoutALink(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := Words{From: rapid.String().Draw(t, "site"), Vendor: "Workshop Software", Zone: "Australia/Perth", Helper: rapid.String().Draw(t, "helper")}
		var all []told
		for range rapid.IntRange(1, 60).Draw(t, "count") {
			all = append(all, told{
				Kind: rapid.SampledFrom(noticeKinds).Draw(t, "kind"), MadeAt: time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "at"), 0),
				Words: rapid.MapOf(
					rapid.SampledFrom([]string{"by", "who", "left", "at", "channel", "address", "method"}), rapid.String(),
				).Draw(t, "words"),
			})
		}
		s, err := noticeScript(words, all)
		if err != nil {
			t.Fatal(err)
		}
		body, ok := s.body()
		if n, plain := Septets(body); !ok || !plain || n > onePart || strings.Contains(body, "\n") {
			t.Fatalf("%d septets: %q", n, body)
		}
		// What a name holds is a name; our words hold no link.
		if len(all) > 1 && strings.Contains(strings.ReplaceAll(body, Fit(oneLine(words.From), longestName), ""), "://") && !strings.Contains(words.Helper, "://") {
			t.Fatalf("a link: %q", body)
		}
	})
}

func TestAHostThatLeavesNoRoomIsRefusedWithWhatToShorten(t *testing.T) {
	t.Parallel()
	if err := CheckTemplates("sign-in.workshopsoftware.example"); err != nil {
		t.Error(err)
	}
	if err := CheckTemplates(strings.Repeat("h", 50)); err != nil {
		t.Error(err)
	}
	for host, want := range map[string]string{
		strings.Repeat("a", 80): "shorter by",
		"bücher.example":        "ASCII form",
		"a b.example":           "ASCII form",
	} {
		if err := CheckTemplates(host); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", host, err)
		}
	}
}

func TestEveryKindOfNoticeHasWordsOfItsOwn(t *testing.T) {
	t.Parallel()
	s := speaker{Words: Words{From: "Bayside Auto", Vendor: "Workshop Software"}, zone: time.UTC, name: oneLine}
	seen := map[string]NoticeKind{}
	for _, kind := range noticeKinds {
		what := s.what(told{Kind: kind, Words: map[string]string{}})
		if what == string(kind) || seen[what] != "" {
			t.Errorf("%s says %q, as does %q", kind, what, seen[what])
		}
		seen[what] = kind
		if then := s.then(told{Kind: kind, Words: map[string]string{}}); then == "" {
			t.Errorf("%s does not say what to do", kind)
		}
	}
	if len(seen) != len(noticeKinds) || len(seen) < 43 || slices.Contains(noticeKinds, "") {
		t.Errorf("%d kinds", len(seen))
	}
}
