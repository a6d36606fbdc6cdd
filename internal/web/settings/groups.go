package settings

import (
	"net/http"
	"slices"

	"keyturn/internal/locale"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/web"
)

// GroupsPage says what each group may do.
type GroupsPage struct {
	Site, Path string
	Groups     []GroupCard
	// Toggles are what can be switched on for a member of any group.
	Toggles []string
}

// GroupCard is one group.
type GroupCard struct {
	Name string
	// Rank says in a sentence whom its members stand above.
	Rank string
	// Count is the number of its active members.
	Count int
	// May is what it may do, Not what it may not.
	May, Not []string
}

// Head implements web.Page.
func (p GroupsPage) Head() web.Head {
	return web.Head{Template: "settings/groups", Title: locale.Say(locale.GroupsTitle), Site: p.Site, Layout: web.Broad}
}

// Groups answers "GET /sites/{site}/settings/groups".
func (s *Settings) Groups() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		counts, err := site.Count(r.Context(), s.DB, a.site.ID)
		if err != nil {
			return err
		}
		page := GroupsPage{Site: a.site.Name, Path: a.path, Toggles: []string{may("sales.dashboard"), may("business_intelligence")}}
		for _, g := range site.Groups() {
			has := site.Of(g)
			card := GroupCard{Name: string(g), Rank: rankWords(g), Count: counts[g]}
			for _, p := range site.All() {
				if p == "invoices.read" && slices.Contains(has, "invoices") {
					continue // whoever makes them reads them
				}
				if slices.Contains(has, p) {
					card.May = append(card.May, may(p))
				} else {
					card.Not = append(card.Not, may(p))
				}
			}
			page.Groups = append(page.Groups, card)
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func rankWords(g policy.Group) string {
	switch g { //nolint:exhaustive // the rest are of one rank
	case policy.GroupAdmin:
		return locale.Say(locale.GroupsRankAdmin)
	case policy.GroupOwner:
		return locale.Say(locale.GroupsRankOwner)
	case policy.GroupManager:
		return locale.Say(locale.GroupsRankManager)
	case policy.GroupUser:
		return locale.Say(locale.GroupsRankUser)
	}
	return locale.Say(locale.GroupsRankRest)
}

// may puts a permission into words; one that has none yet is its own key.
func may(p site.Permission) string {
	words := map[site.Permission]locale.Key{
		"customers": locale.MayCustomers, "vehicles": locale.MayVehicles, "search": locale.MaySearch, "job_cards": locale.MayJobCards,
		"bookings": locale.MayBookings, "quotes": locale.MayQuotes, "invoices": locale.MayInvoices, "invoices.read": locale.MayInvoicesRead,
		"payments": locale.MayPayments, "labour": locale.MayLabour, "products": locale.MayProducts, "purchase_orders": locale.MayPurchaseOrders,
		"supplier_categories": locale.MaySupplierCategories, "suppliers.order": locale.MaySuppliersOrder, "suppliers.setup": locale.MaySuppliersSetup,
		"sales.dashboard": locale.MaySalesDashboard, "business_intelligence": locale.MayBusinessIntelligence, "event_log": locale.MayEventLog,
		"sms.use": locale.MaySmsUse, "company.settings": locale.MayCompanySettings, "company.lists": locale.MayCompanyLists,
		"users.manage": locale.MayUsersManage, "integrations.manage": locale.MayIntegrationsManage, "subscription": locale.MaySubscription,
	}
	if key, ok := words[p]; ok {
		return locale.Say(key)
	}
	return string(p)
}
