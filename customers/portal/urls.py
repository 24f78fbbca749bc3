from django.urls import URLPattern, path

from customers.portal import views

# Mounted under /portal/ in the namespace "portal", together with the pages of the other apps.
urlpatterns: list[URLPattern] = [
    path("sign-in", views.sign_in, name="sign-in"),
    path("sign-in/sent", views.sign_in_sent, name="sign-in-sent"),
    path("sign-in/link/<str:token>", views.sign_in_link, name="sign-in-link"),
    path("sign-out", views.sign_out, name="sign-out"),
    path("customer", views.choose_customer, name="choose-customer"),
]
