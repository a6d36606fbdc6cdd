package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Shops are the data of each workshop, by its reference. They are gone when the program ends.
type Shops struct {
	Now func() time.Time

	mu  sync.Mutex
	all map[string]*Shop
}

// Shop is the data of one workshop. Nothing of another's can be reached from it.
type Shop struct {
	now func() time.Time

	mu        sync.Mutex
	customers []customer
	vehicles  []vehicle
	jobs      []job
	invoices  []invoice
	payments  []payment
	events    []event
}

type (
	customer struct{ Name, Phone string }
	vehicle  struct{ Plate, Model, Owner string }
	job      struct{ Plate, Work, By string }
	invoice  struct {
		Customer, Work string
		Cents          int
		By             string
	}
	payment struct {
		Invoice  int
		Cents    int
		By       string
		Refunded string // by whom; empty: it was not
	}
	event struct {
		At       time.Time
		Who, Did string
	}
)

// Of gives the data of a workshop; a new one begins with some.
func (all *Shops) Of(at Site) *Shop {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.all == nil {
		all.all = map[string]*Shop{}
	}
	if all.all[at.Ref] == nil {
		all.all[at.Ref] = &Shop{
			now:       all.Now,
			customers: []customer{{at.Name + " fleet", "07 5550 0110"}, {"Nadia Petrov", "0491 570 006"}},
			vehicles:  []vehicle{{"482 KRT", "Toyota HiLux 2019", at.Name + " fleet"}, {"917 LMB", "Mazda 3 2016", "Nadia Petrov"}},
			jobs:      []job{{"917 LMB", "Front brake pads", "the front desk"}},
			invoices:  []invoice{{"Nadia Petrov", "60,000 km service", 41850, "the front desk"}},
		}
	}
	return all.all[at.Ref]
}

// errForm says what is wrong with a form, in words for whoever filled it in.
type errForm string

// Error implements error.
func (e errForm) Error() string { return string(e) }

// Do changes something, and notes who did it. change gives what was done, in words.
func (s *Shop) Do(who Person, f Form, change func(*Shop, Person, Form) (string, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	did, err := change(s, who, f)
	if err != nil {
		return err
	}
	s.events = append(s.events, event{s.now(), who.Name + " (" + who.Email + ")", did})
	return nil
}

// Form reads the fields of a form.
type Form func(name string) string

// texts reads fields of which none may be empty.
func (f Form) texts(names ...string) ([]string, error) {
	var all []string
	for _, name := range names {
		text := strings.TrimSpace(f(name))
		if text == "" || len(text) > 200 {
			return nil, errForm("Fill in “" + name + "”, with 200 characters at most.")
		}
		all = append(all, text)
	}
	return all, nil
}

// cents reads an amount of dollars.
func (f Form) cents(name string) (int, error) {
	dollars, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(f(name)), "$"), 64)
	if err != nil || dollars < 0.01 || dollars > 1_000_000 {
		return 0, errForm("Write the amount in dollars, as in 120.50.")
	}
	return int(math.Round(dollars * 100)), nil
}

func money(cents int) string { return fmt.Sprintf("$%d.%02d", cents/100, cents%100) }

// number reads the number of one of so many things. People count from 1.
func number(text string, of int) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 1 || n > of {
		return 0, errForm("There is no such number in the list.")
	}
	return n, nil
}

func addCustomer(s *Shop, _ Person, f Form) (string, error) {
	t, err := f.texts("Name", "Phone")
	if err != nil {
		return "", err
	}
	s.customers = append(s.customers, customer{t[0], t[1]})
	return "added the customer " + t[0], nil
}

func addVehicle(s *Shop, _ Person, f Form) (string, error) {
	t, err := f.texts("Plate", "Model", "Owner")
	if err != nil {
		return "", err
	}
	s.vehicles = append(s.vehicles, vehicle{t[0], t[1], t[2]})
	return "added the vehicle " + t[0], nil
}

func addJob(s *Shop, who Person, f Form) (string, error) {
	t, err := f.texts("Plate", "Work")
	if err != nil {
		return "", err
	}
	s.jobs = append(s.jobs, job{t[0], t[1], who.Name})
	return "opened job card " + strconv.Itoa(len(s.jobs)), nil
}

func addInvoice(s *Shop, who Person, f Form) (string, error) {
	t, err := f.texts("Customer", "Work")
	if err != nil {
		return "", err
	}
	amount, err := f.cents("Amount")
	if err != nil {
		return "", err
	}
	s.invoices = append(s.invoices, invoice{t[0], t[1], amount, who.Name})
	return fmt.Sprintf("made invoice %d over %s", len(s.invoices), money(amount)), nil
}

func addPayment(s *Shop, who Person, f Form) (string, error) {
	n, err := number(f("Invoice"), len(s.invoices))
	if err != nil {
		return "", err
	}
	amount, err := f.cents("Amount")
	if err != nil {
		return "", err
	}
	s.payments = append(s.payments, payment{Invoice: n, Cents: amount, By: who.Name})
	return fmt.Sprintf("took %s for invoice %d", money(amount), n), nil
}

func refund(s *Shop, who Person, f Form) (string, error) {
	n, err := number(f("Payment"), len(s.payments))
	if err != nil {
		return "", err
	}
	one := &s.payments[n-1]
	if one.Refunded != "" {
		return "", errForm("Payment " + strconv.Itoa(n) + " was refunded already.")
	}
	one.Refunded = who.Name
	return fmt.Sprintf("refunded %s of payment %d", money(one.Cents), n), nil
}

// Table is what a page lists.
type Table struct {
	Heads []string
	Rows  [][]string
}

// Read lists things.
func (s *Shop) Read(list func(*Shop) Table) Table {
	s.mu.Lock()
	defer s.mu.Unlock()
	return list(s)
}

func table[T any](all []T, row func(n int, one T) []string, heads ...string) Table {
	t := Table{Heads: heads}
	for i, one := range all {
		t.Rows = append(t.Rows, row(i+1, one))
	}
	return t
}

func customers(s *Shop) Table {
	return table(s.customers, func(_ int, c customer) []string { return []string{c.Name, c.Phone} }, "Name", "Phone")
}

func vehicles(s *Shop) Table {
	return table(s.vehicles, func(_ int, v vehicle) []string { return []string{v.Plate, v.Model, v.Owner} }, "Plate", "Model", "Owner")
}

func jobs(s *Shop) Table {
	return table(s.jobs, func(n int, j job) []string { return []string{strconv.Itoa(n), j.Plate, j.Work, j.By} }, "Number", "Plate", "Work", "Opened by")
}

func invoices(s *Shop) Table {
	return table(s.invoices, func(n int, i invoice) []string {
		return []string{strconv.Itoa(n), i.Customer, i.Work, money(i.Cents), i.By}
	}, "Number", "Customer", "Work", "Amount", "Made by")
}

func payments(s *Shop) Table {
	return table(s.payments, func(n int, p payment) []string {
		return []string{strconv.Itoa(n), strconv.Itoa(p.Invoice), money(p.Cents), p.By, p.Refunded}
	}, "Number", "Invoice", "Amount", "Taken by", "Refunded by")
}

func events(s *Shop) Table {
	return table(s.events, func(_ int, e event) []string {
		return []string{e.At.Format("Mon 2 Jan 15:04:05"), e.Who, e.Did}
	}, "When", "Who", "What")
}
