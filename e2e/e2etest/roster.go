package e2etest

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"keyturn/internal/password"
)

// Password is what everybody of a roster signs in with, unless their row has a hash of
// its own.
const Password = "correct horse battery staple"

// Row is one user of one site, as the host product's export has them. What is empty is
// filled in: a connected site's active office Admin whose password is Password.
type Row struct {
	Site, SiteName, Zone, Xero          string
	Ref, First, Last, Email, Mobile     string
	Group, Kind, Status, Hash, Passless string
}

// The sites of Crew, and people of the same names in both.
const (
	Connected = "S1" // Bayside Auto, connected to Xero
	Twin      = "S2" // Bayside Tyres, with people of the same names, not connected
)

// The people of Crew.
const (
	Pat      = "pat@bayside.example" // Admin at Bayside Auto
	Sam      = "sam@bayside.example" // Mechanic there
	TwinPat  = "pat@tyres.example"   // Admin at Bayside Tyres
	TwinSam  = "sam@tyres.example"   // Mechanic there
	Blocked  = "kim@bayside.example"
	Resting  = "lou@bayside.example" // inactive
	Passless = "max@bayside.example" // has no password
	OnMobile = "ari@bayside.example" // a mobile member
)

// Crew is two sites with people of the same names, and one of each sort who does not get
// in.
func Crew() []Row {
	return []Row{
		{Ref: "U1", First: "Pat", Last: "Ng", Email: Pat},
		{Ref: "U2", First: "Sam", Last: "Okafor", Email: Sam, Group: "Mechanic"},
		{Ref: "U3", First: "Kim", Last: "Rossi", Email: Blocked, Group: "User", Status: "Blocked"},
		{Ref: "U4", First: "Lou", Last: "Haddad", Email: Resting, Group: "User", Status: "Inactive"},
		{Ref: "U5", First: "Max", Last: "Moana", Email: Passless, Group: "User", Passless: "yes"},
		{Ref: "U6", First: "Ari", Last: "Silva", Email: OnMobile, Group: "Mechanic", Kind: "mobile"},
		{Site: Twin, Ref: "U1", First: "Pat", Last: "Ng", Email: TwinPat},
		{Site: Twin, Ref: "U2", First: "Sam", Last: "Okafor", Email: TwinSam, Group: "Mechanic"},
	}
}

// People brings people in: it writes them as a file and has the product import it.
func (p *Product) People(t testing.TB, rows []Row) {
	t.Helper()
	p.MustRun(t, "import", WriteRoster(t, rows))
}

// WriteRoster writes rows as the host product would.
func WriteRoster(t testing.TB, rows []Row) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "people.csv")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	out := csv.NewWriter(f)
	_ = out.Write([]string{ // a writer of CSV keeps its error
		"site_ref", "user_ref", "site_name", "region", "timezone", "xero_connected", "first_name", "last_name",
		"email", "mobile", "group", "kind", "status", "password_hash",
	})
	for i := range rows {
		_ = out.Write(rows[i].fields(i))
	}
	out.Flush()
	if err := out.Error(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func (r Row) fields(i int) []string {
	site := or(r.Site, Connected)
	name, xero := "Bayside Auto", "yes"
	if site != Connected {
		name, xero = "Bayside Tyres", "no"
	}
	hash := or(r.Hash, onceHashed())
	if r.Passless != "" {
		hash = ""
	}
	return []string{
		site, or(r.Ref, "N"+strconv.Itoa(i)), or(r.SiteName, name), "AU", or(r.Zone, "Australia/Brisbane"), or(r.Xero, xero),
		or(r.First, "Robin"), or(r.Last, "Vale"), r.Email, r.Mobile, or(r.Group, "Admin"), or(r.Kind, "office"), or(r.Status, "Active"), hash,
	}
}

func or(given, usual string) string {
	if given == "" {
		return usual
	}
	return given
}

// onceHashed is the hash of Password, made once for all rosters.
var onceHashed = sync.OnceValue(func() string { return password.Hash(Password) })
