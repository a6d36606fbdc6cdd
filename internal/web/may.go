package web

import (
	"slices"

	"keyturn/internal/locale"
	"keyturn/internal/policy"
	"keyturn/internal/site"
)

// permissionWords are the permissions as people read them.
var permissionWords = map[site.Permission]locale.Key{
	"customers": locale.RequestMayCustomers, "vehicles": locale.RequestMayVehicles, "search": locale.RequestMaySearch,
	"job_cards": locale.RequestMayJobCards, "bookings": locale.RequestMayBookings, "quotes": locale.RequestMayQuotes,
	"invoices": locale.RequestMayInvoices, "invoices.read": locale.RequestMayInvoicesRead, "payments": locale.RequestMayPayments,
	"labour": locale.RequestMayLabour, "products": locale.RequestMayProducts, "purchase_orders": locale.RequestMayPurchaseOrders,
	"supplier_categories": locale.RequestMaySupplierCategories, "suppliers.order": locale.RequestMaySuppliersOrder,
	"suppliers.setup": locale.RequestMaySuppliersSetup, "sales.dashboard": locale.RequestMaySalesDashboard,
	"business_intelligence": locale.RequestMayBusinessIntelligence, "event_log": locale.RequestMayEventLog,
	"sms.use": locale.RequestMaySmsUse, "company.settings": locale.RequestMayCompanySettings, "company.lists": locale.RequestMayCompanyLists,
	"users.manage": locale.RequestMayUsersManage, "integrations.manage": locale.RequestMayIntegrationsManage,
	"subscription": locale.RequestMaySubscription,
}

// May says in a sentence what a group may do: what it has, or of those that have almost
// everything what they lack.
func May(group policy.Group) string {
	has := site.Membership{Group: group}.Permissions()
	every := site.Membership{Group: policy.GroupAdmin}.Permissions()
	lacks := slices.DeleteFunc(slices.Clone(every), func(p site.Permission) bool { return slices.Contains(has, p) })
	switch {
	case len(lacks) == 0:
		return locale.Say(locale.RequestMayAll)
	case len(lacks) < len(has):
		return locale.Say(locale.RequestMayBut, locale.Data{"What": wordsOf(lacks)})
	}
	return locale.Say(locale.RequestMayOnly, locale.Data{"What": wordsOf(has)})
}

func wordsOf(all []site.Permission) string {
	words := make([]string, 0, len(all))
	for _, p := range all {
		words = append(words, locale.Say(permissionWords[p]))
	}
	return locale.AllOf(words)
}
