// handlers/services: rules across the tables of all services.
#include "handlers/services.h"

#include <boost/test/unit_test.hpp>
#include <set>
#include <string>
#include <string_view>

using namespace syncline;

BOOST_AUTO_TEST_CASE(names_of_services_are_unique) {
  std::set<std::string_view> names;
  for (const Service* service : Services()) BOOST_TEST(names.insert(service->name).second, service->name);
}

BOOST_AUTO_TEST_CASE(operations_begin_with_the_name_of_their_service) {
  for (const Service* service : Services()) {
    for (const Route& route : service->routes) {
      BOOST_TEST(std::string_view(route.operation).starts_with(std::string(service->name) + "."),
                 route.operation);
    }
  }
}

BOOST_AUTO_TEST_CASE(names_of_job_kinds_are_unique) {
  std::set<std::string_view> names;
  for (const JobKind& kind : AllJobs()) BOOST_TEST(names.insert(kind.name).second, kind.name);
  BOOST_TEST(names.contains("blobs.sweep"));
  BOOST_TEST(names.contains("anki.import"));
}

BOOST_AUTO_TEST_CASE(names_of_checks_fit_into_their_column) {
  for (const Service* service : Services()) {
    for (const DoctorCheck& check : service->checks)
      BOOST_TEST(std::string_view(check.name).size() <= 9u, check.name);
  }
}
