package demo_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"keyturn/internal/demo"
	"keyturn/internal/message"
)

var start = time.Date(2026, 12, 2, 7, 2, 0, 0, time.UTC)

func inbox() *demo.Inbox {
	return demo.NewInbox(func() time.Time { return start })
}

func send(t *testing.T, i *demo.Inbox, l message.Letter) message.Receipt {
	t.Helper()
	receipt, err := i.Send(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

func subjects(entries []demo.Entry) []string {
	var all []string
	for _, e := range entries {
		all = append(all, e.Subject)
	}
	return all
}

func TestMailArrivesNewestFirstAndIsFoundByAddress(t *testing.T) {
	t.Parallel()
	i := inbox()
	var carrier message.Mailer = i
	for _, l := range []message.Letter{
		{To: "pat@baysideauto.example", Subject: "first", Text: "one", HTML: "<p>one"},
		{To: "kim@baysideauto.example", Subject: "second"},
		{To: "pat@baysideauto.example", Subject: "third"},
	} {
		receipt, err := carrier.Send(t.Context(), l)
		if err != nil || !receipt.Accepted || receipt.Relay != "inbox" {
			t.Fatalf("%+v, %v", receipt, err)
		}
	}
	for _, c := range []struct {
		name, to string
		want     string
	}{
		{"everybody's", "", "[third second first]"},
		{"one person's", "pat@baysideauto.example", "[third first]"},
		{"an address in another spelling", " PAT@BaysideAuto.example. ", "[third first]"},
		{"nobody's", "vic@baysideauto.example", "[]"},
		{"what is no address", "<script>", "[]"},
	} {
		if got := fmt.Sprint(subjects(i.Entries(c.to))); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
	first := i.Entries("")[2]
	if first.Text != "one" || first.HTML != "<p>one" || !first.At.Equal(start) || first.Channel != message.Email {
		t.Errorf("the first arrived as %+v", first)
	}
	if again, ok := i.Entry(first.Number); !ok || again != first {
		t.Errorf("by its number it is %+v", again)
	}
	for _, number := range []int64{-1, 0, 4} {
		if _, ok := i.Entry(number); ok {
			t.Errorf("there is a message %d", number)
		}
	}
}

func TestTheOldestMailGoesWhenThereIsTooMuch(t *testing.T) {
	t.Parallel()
	i := inbox()
	for n := range 5003 {
		send(t, i, message.Letter{To: "pat@baysideauto.example", Subject: fmt.Sprint(n + 1)})
	}
	all := i.Entries("")
	if len(all) != 5000 || all[0].Subject != "5003" || all[4999].Subject != "4" {
		t.Fatalf("%d are kept, from %s to %s", len(all), all[len(all)-1].Subject, all[0].Subject)
	}
	if _, ok := i.Entry(3); ok {
		t.Error("the third is still there")
	}
	if e, ok := i.Entry(4); !ok || e.Subject != "4" {
		t.Errorf("the fourth is %+v", e)
	}
}

func TestAMailboxThatIsFullOrUnknownRefusesAsItsServerWould(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		to     string
		why    message.Reason
		code   int
		status string
	}{
		{"full in the story", "mick.farrow@mail.example", message.MailboxFull, 552, "5.2.2"},
		{"unknown in the story", "gary@redgumdiesel.example", message.NoSuchMailbox, 550, "5.1.1"},
		{"refused by hand, in another spelling", "PAT@baysideauto.example", message.Blocked, 550, "5.7.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			i := inbox()
			i.Refuse("pat@baysideauto.example", message.Blocked)
			got := send(t, i, message.Letter{To: c.to, Subject: "a code"})
			if got.Accepted || !got.Permanent || got.Reason != c.why || got.Code != c.code || got.Status != c.status {
				t.Errorf("the receipt is %+v", got)
			}
			if i.Refuses(c.to) != c.why || len(i.Entries("")) != 0 {
				t.Errorf("refuses for %q, and %d arrived", i.Refuses(c.to), len(i.Entries("")))
			}
		})
	}
}

func TestMailThatIsLateOrGivenUpDoesNotArrive(t *testing.T) {
	t.Parallel()
	i := inbox()
	if _, err := i.Send(t.Context(), message.Letter{To: "pat@baysideauto.example", Deadline: start}); !errors.Is(err, message.Late) {
		t.Errorf("at its deadline: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := i.Send(gone, message.Letter{To: "pat@baysideauto.example"}); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	send(t, i, message.Letter{To: "pat@baysideauto.example", Subject: "just in time", Deadline: start.Add(time.Microsecond)})
	if got := subjects(i.Entries("")); len(got) != 1 {
		t.Errorf("arrived: %v", got)
	}
}

func TestManyMaySendAndLookAtOnce(t *testing.T) {
	t.Parallel()
	i := inbox()
	var all sync.WaitGroup
	for n := range 16 {
		all.Go(func() {
			for range 50 {
				if _, err := i.Send(t.Context(), message.Letter{To: fmt.Sprintf("u%d@bayside.example", n)}); err != nil {
					t.Error(err)
				}
				i.Refuse("nobody@bayside.example", message.Blocked)
				i.Entries("")
				i.Entry(1)
			}
		})
	}
	all.Wait()
	seen := map[int64]bool{}
	for _, e := range i.Entries("") {
		seen[e.Number] = true
	}
	if len(seen) != 16*50 {
		t.Errorf("%d numbers for 800 messages", len(seen))
	}
	if mine := i.Entries("u7@bayside.example"); len(mine) != 50 {
		t.Errorf("%d of 50 arrived", len(mine))
	}
}
