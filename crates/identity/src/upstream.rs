//! Who somebody from an upstream is here.
//!
//! An upstream proves who somebody is there, never who they are here: that is what a link says. Without one, what the upstream says
//! of an address must not open the account that has it, or whoever can make an account there with another person's address would be
//! that person here. So:
//!
//! 1. whom the declaration does not let in, comes in by no way, linked or not;
//! 2. a linked account is signed in, unless it is switched off;
//! 3. an account is linked by itself only where its declaration allows it, both sides have verified the same address, and the account
//!    has neither a password nor a second factor; with one, its person proves it once, here;
//! 4. an account is made only where that is declared, and nobody here has the name or the address: also somebody who is switched off
//!    does not come back as somebody else. An address that nobody has verified may be anybody's, and is nobody's.

/// What an upstream says that counts here.
#[derive(Clone, Copy, Debug, Default)]
pub struct Said<'a> {
    /// The address.
    pub email: Option<&'a str>,
    /// Whether the upstream has verified it.
    pub email_verified: bool,
    /// The groups there.
    pub groups: &'a [String],
}

/// What is declared of the upstream.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules<'a> {
    /// The domains of addresses that come in; all where there is none.
    pub allowed_domains: &'a [String],
    /// The groups that come in; all where there is none.
    pub allowed_groups: &'a [String],
    /// Whether people without an account get one.
    pub create_accounts: bool,
    /// Whether accounts without a password and a second factor are linked by their verified address.
    pub link_by_email: bool,
}

/// An account here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Whether it is switched off.
    pub disabled: bool,
    /// Whether its person has something to prove it with here: a password or a second factor.
    pub is_guarded: bool,
    /// Whether its person has verified the same address here.
    pub email_verified: bool,
}

/// Who may be meant here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// The account that is linked.
    Linked(Account),
    /// The one account with the same address, which is not linked.
    SameAddress(Account),
    /// More than one account has the address, or one has the name: nobody in particular.
    Taken,
    /// Nobody.
    Nobody,
}

/// What comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// An account is made, and linked.
    Create,
    /// The account with the same address is linked, and signed in.
    LinkNow,
    /// The person proves an account here first.
    Prove,
    /// The linked account is signed in.
    SignIn,
}

/// Why nobody comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The account here is switched off.
    AccountDisabled,
    /// No address in a domain that comes in is vouched for.
    AddressNotAllowed,
    /// In none of the groups that come in.
    GroupNotAllowed,
}

/// Decides who somebody from an upstream is here.
///
/// # Errors
/// Why they do not come in.
pub fn decide(said: Said<'_>, rules: Rules<'_>, known: Known) -> Result<Verdict, Refusal> {
    let verified = said.email.filter(|_| said.email_verified);
    if !rules.allowed_domains.is_empty() && !verified.is_some_and(|email| is_in_domains(email, rules.allowed_domains)) {
        return Err(Refusal::AddressNotAllowed);
    }
    if !rules.allowed_groups.is_empty() && !said.groups.iter().any(|group| rules.allowed_groups.contains(group)) {
        return Err(Refusal::GroupNotAllowed);
    }
    match known {
        Known::Linked(account) if account.disabled => Err(Refusal::AccountDisabled),
        Known::Linked(_) => Ok(Verdict::SignIn),
        // Who it is that is switched off is told only to whoever has the address.
        Known::SameAddress(account) if account.disabled && account.email_verified && verified.is_some() => {
            Err(Refusal::AccountDisabled)
        }
        Known::SameAddress(account) if rules.link_by_email && verified.is_some() && may_be_linked(account) => {
            Ok(Verdict::LinkNow)
        }
        Known::Nobody if rules.create_accounts => Ok(Verdict::Create),
        Known::Nobody | Known::SameAddress(_) | Known::Taken => Ok(Verdict::Prove),
    }
}

fn may_be_linked(account: Account) -> bool {
    account.email_verified && !account.is_guarded && !account.disabled
}

/// The domain itself, not one below it.
fn is_in_domains(email: &str, domains: &[String]) -> bool {
    let domain = email.rsplit('@').next().unwrap_or_default();
    email.matches('@').count() == 1 && domains.iter().any(|allowed| allowed.eq_ignore_ascii_case(domain))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OPEN: Account = Account { disabled: false, is_guarded: false, email_verified: true };
    const VERIFIED: Said<'static> = Said { email: Some("ada@corp.example"), email_verified: true, groups: &[] };
    const TRUSTING: Rules<'static> =
        Rules { allowed_domains: &[], allowed_groups: &[], create_accounts: true, link_by_email: true };

    fn account() -> impl Strategy<Value = Account> {
        any::<[bool; 3]>().prop_map(|[disabled, is_guarded, email_verified]| Account {
            disabled,
            is_guarded,
            email_verified,
        })
    }

    fn known() -> impl Strategy<Value = Known> {
        prop_oneof![
            account().prop_map(Known::Linked),
            account().prop_map(Known::SameAddress),
            Just(Known::Taken),
            Just(Known::Nobody)
        ]
    }

    #[test]
    fn an_account_without_a_password_is_linked_by_an_address_that_both_sides_have_verified() {
        assert_eq!(decide(VERIFIED, TRUSTING, Known::SameAddress(OPEN)), Ok(Verdict::LinkNow));
        let untrusting = Rules { link_by_email: false, ..TRUSTING };
        assert_eq!(decide(VERIFIED, untrusting, Known::SameAddress(OPEN)), Ok(Verdict::Prove));
        let unverified = Account { email_verified: false, ..OPEN };
        assert_eq!(decide(VERIFIED, TRUSTING, Known::SameAddress(unverified)), Ok(Verdict::Prove));
    }

    #[test]
    fn a_domain_is_the_whole_domain_of_a_verified_address() {
        let domains = ["corp.example".to_owned()];
        let rules = Rules { allowed_domains: &domains, ..TRUSTING };
        let of = |email, email_verified| {
            decide(Said { email: Some(email), email_verified, groups: &[] }, rules, Known::Nobody)
        };
        assert_eq!(of("ada@CORP.example", true), Ok(Verdict::Create));
        for email in [
            "ada@evil.example",
            "ada@sub.corp.example",
            "ada@corp.example.evil.example",
            "a@evil.example@corp.example",
            "corp.example",
        ] {
            assert_eq!(of(email, true), Err(Refusal::AddressNotAllowed), "{email}");
        }
        assert_eq!(of("ada@corp.example", false), Err(Refusal::AddressNotAllowed));
    }

    proptest! {
        #[test]
        fn nobody_gets_an_account_with_a_password_a_factor_or_an_unverified_address_unproven(
            email_verified in any::<bool>(), known in known(), rules in any::<[bool; 2]>(),
        ) {
            let [create_accounts, link_by_email] = rules;
            let said = Said { email_verified, ..VERIFIED };
            let verdict = decide(said, Rules { create_accounts, link_by_email, ..TRUSTING }, known);
            match verdict {
                Ok(Verdict::LinkNow) => {
                    prop_assert!(email_verified && link_by_email);
                    prop_assert_eq!(known, Known::SameAddress(OPEN));
                }
                Ok(Verdict::SignIn) => prop_assert!(matches!(known, Known::Linked(account) if !account.disabled)),
                Ok(Verdict::Create) => prop_assert!(create_accounts && known == Known::Nobody),
                Ok(Verdict::Prove) | Err(_) => {}
            }
        }

        #[test]
        fn whom_the_declaration_does_not_let_in_comes_in_by_no_way(known in known(), group in "[a-c]") {
            let (allowed, groups) = (["b".to_owned()], [group.clone()]);
            let verdict = decide(Said { groups: &groups, ..VERIFIED }, Rules { allowed_groups: &allowed, ..TRUSTING }, known);
            prop_assert_eq!(verdict == Err(Refusal::GroupNotAllowed), group != "b");
        }
    }
}
